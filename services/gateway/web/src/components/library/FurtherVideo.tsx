import { useState } from "preact/hooks";
import type { Reference } from "../../api/documents";
import { uploadLabelled, uploadSample } from "../../api/upload";
import { type Text, useText } from "../../i18n";
import { VideoDrop } from "../VideoDrop";
import { BuildingState, useBuilding } from "./building";

/** What a further video shows: one more sample, or repetitions that are all right or all wrong. */
const PURPOSES = ["sample", "right", "wrong"] as const;
type Purpose = (typeof PURPOSES)[number];

const LONGEST_NAME = 100;

/** Makes a reference's next version with a further video: the movement steadier, or where right ends better known. */
export function FurtherVideo({ reference, onBuilt }: { reference: Reference; onBuilt: () => Promise<void> }) {
  const t = useText();
  const [video, setVideo] = useState<File | null>(null);
  const [purpose, setPurpose] = useState<Purpose>("sample");
  const [person, setPerson] = useState("");
  const building = useBuilding();
  const { reference_id: id, name, exercise, kind, calibration } = reference;
  const purposes = kind === "hold" ? PURPOSES.slice(0, 1) : PURPOSES;

  const take = (file: File | undefined) => {
    if (file === undefined) return;
    setVideo(file);
    building.reset();
  };
  const build = async () => {
    if (video === null) return;
    const built = await building.run((onSent, signal) => {
      if (purpose !== "sample")
        return uploadLabelled(id, { correct: purpose === "right", person, video }, onSent, signal);
      return uploadSample({ name, exercise, video, refines: id, silhouettes: false }, onSent, signal);
    }, onBuilt);
    if (built) setVideo(null);
  };

  return (
    <section class="sample">
      <h3>{t("library.refine")}</h3>
      <p class="muted">
        {t("library.refine.body")}
        {calibration !== undefined &&
          calibration.right + calibration.wrong > 0 &&
          ` ${t("library.learnt", { right: calibration.right, wrong: calibration.wrong })}`}
      </p>
      {!building.busy && <VideoDrop video={video} onVideo={take} />}
      {video !== null && !building.busy && (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void build();
          }}
        >
          {purposes.length > 1 && (
            <label>
              {t("library.shows")}
              <select value={purpose} onChange={(event) => setPurpose(event.currentTarget.value as Purpose)}>
                {purposes.map((each) => (
                  <option key={each} value={each}>
                    {t(`library.shows.${each}` as Text)}
                  </option>
                ))}
              </select>
            </label>
          )}
          {purpose !== "sample" && (
            <label>
              {t("library.person")}
              <input
                type="text"
                maxLength={LONGEST_NAME}
                value={person}
                placeholder={t("library.person.any")}
                onInput={(event) => setPerson(event.currentTarget.value)}
              />
            </label>
          )}
          <button type="submit" class="button button-primary">
            {t(building.progress.step === "failed" ? "reference.again" : "library.refine.action")}
          </button>
        </form>
      )}
      <BuildingState building={building} built={t("library.refined", { name })} />
    </section>
  );
}
