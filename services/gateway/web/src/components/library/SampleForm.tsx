import { useEffect, useState } from "preact/hooks";
import type { Reference } from "../../api/documents";
import type { Exercise } from "../../api/exercises";
import { uploadSample } from "../../api/upload";
import { useText } from "../../i18n";
import { knownExercises } from "../../state/exercises";
import { language } from "../../state/preferences";
import { useValue } from "../../state/value";
import { VideoDrop } from "../VideoDrop";
import { BuildingState, useBuilding } from "./building";

const LONGEST_NAME = 100;

/** Makes a reference of a video: choose it, name it, watch it being built. */
export function SampleForm({ onBuilt }: { onBuilt: (reference: Reference) => Promise<void> }) {
  const t = useText();
  const chosen = useValue(language);
  const [video, setVideo] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [exercise, setExercise] = useState("");
  const [exercises, setExercises] = useState<readonly Exercise[]>([]);
  const [silhouettes, setSilhouettes] = useState(false);
  const building = useBuilding();
  useEffect(() => void knownExercises().then(setExercises), []);

  const take = (file: File | undefined) => {
    if (file === undefined) return;
    setVideo(file);
    setName(nameOf(file));
    building.reset();
  };
  const build = async () => {
    if (video === null) return;
    const sample = { name: name.trim(), exercise, video, refines: "", silhouettes };
    const built = await building.run(
      (onSent, signal) => uploadSample(sample, onSent, signal),
      async ({ reference }) => {
        if (reference !== null) await onBuilt(reference);
      },
    );
    if (built) setVideo(null);
  };

  return (
    <section class="sample">
      <h3>{t("reference.add")}</h3>
      <p class="muted">{t("reference.add.body")}</p>
      {!building.busy && <VideoDrop video={video} onVideo={take} />}
      {video !== null && !building.busy && (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void build();
          }}
        >
          <label>
            {t("reference.name")}
            <input
              type="text"
              required
              maxLength={LONGEST_NAME}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <label>
            {t("reference.exercise")}
            <select value={exercise} onChange={(event) => setExercise(event.currentTarget.value)}>
              <option value="">{t("exercise.")}</option>
              {exercises.map((each) => (
                <option key={each.exercise} value={each.exercise}>
                  {each.name[chosen]}
                </option>
              ))}
            </select>
          </label>
          <label class="check check-wide">
            <input type="checkbox" checked={silhouettes} onChange={() => setSilhouettes(!silhouettes)} />
            <span>
              {t("library.silhouettes")}
              <small class="muted">{t("library.silhouettes.body")}</small>
            </span>
          </label>
          <button type="submit" class="button button-primary" disabled={name.trim() === ""}>
            {t(building.progress.step === "failed" ? "reference.again" : "reference.build")}
          </button>
        </form>
      )}
      <BuildingState building={building} built={t("reference.built", { name })} />
    </section>
  );
}

/** "left_squat.mp4" as a name for people. */
function nameOf(file: File): string {
  return file.name
    .replace(/\.\w+$/, "")
    .replaceAll("_", " ")
    .slice(0, LONGEST_NAME);
}
