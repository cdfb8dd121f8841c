import { useEffect, useRef, useState } from "preact/hooks";
import { useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";

/** Tells screen readers of each completed repetition; the cue announces itself. */
export function Announcer({ model }: { model: SessionModel }) {
  const t = useText();
  const newest = useValue(model.repetitions).at(-1);
  const opened = useRef(Date.now() * 1000);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (newest === undefined || newest.end_us < opened.current) return; // done before the page was opened
    setSaid(
      newest.score === null
        ? t("repetitions.said.unscored", { n: newest.number })
        : t("repetitions.said", { n: newest.number, score: Math.round(newest.score) }),
    );
  }, [newest, t]);
  return (
    <div class="visually-hidden" aria-live="polite">
      {said}
    </div>
  );
}
