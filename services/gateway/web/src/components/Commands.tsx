import { useEffect, useState } from "preact/hooks";
import { cameras } from "../api/rest";
import { useText } from "../i18n";
import { freePlace } from "../state/cameraNames";
import { Copyable } from "./Copyable";

/** How a camera is connected from the command line, under a name that none has. */
export function Commands({ demo = false }: { demo?: boolean }) {
  const t = useText();
  const [taken, setTaken] = useState<string[]>([]);
  useEffect(() => {
    // Unknown, it is proposed as if there were none: capture says so where a name is taken.
    cameras().then(
      (connected) => setTaken(connected.map(({ camera_id }) => camera_id)),
      () => undefined,
    );
  }, []);
  const capture = `.venv/bin/python -m services.capture --cameras ${freePlace(taken)}`;
  return (
    <ul class="commands">
      <li>
        <span>{t("empty.webcam")}</span>
        <Copyable text={`${capture}:0`} />
      </li>
      <li>
        <span>{t("empty.video")}</span>
        <Copyable text={`${capture}:squat.mp4`} />
      </li>
      {demo && (
        <li>
          <span>{t("empty.demo")}</span>
          <Copyable text="make demo" />
        </li>
      )}
    </ul>
  );
}
