import { useEffect, useRef, useState } from "preact/hooks";
import type { Build, Reference } from "../../api/documents";
import { followBuild, uploadSample } from "../../api/upload";
import { useText } from "../../i18n";
import { sentence } from "../../state/references";
import { Icon } from "../Icon";
import { ProgressLine } from "../ProgressLine";
import { VideoDrop } from "../VideoDrop";

const EXERCISES = [
  "",
  "squat",
  "lunge",
  "push_up",
  "shoulder_press",
  "biceps_curl",
  "deadlift",
  "plank",
  "balance",
] as const;
const LONGEST_NAME = 100;

type Progress =
  | { step: "choosing" }
  | { step: "sending"; fraction: number }
  | { step: "building"; build: Build }
  | { step: "built"; name: string }
  | { step: "failed"; reason: string };

interface Props {
  /** What a further video is to refine; without it the video becomes a reference of its own. */
  refines?: Reference;
  onBuilt: (reference: Reference) => Promise<void>;
}

/** Makes a reference of a video, or refines one with it: choose it, name it, watch it being built. */
export function SampleForm({ refines, onBuilt }: Props) {
  const t = useText();
  const [video, setVideo] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [exercise, setExercise] = useState("");
  const [silhouettes, setSilhouettes] = useState(refines?.silhouettes ?? false);
  const [progress, setProgress] = useState<Progress>({ step: "choosing" });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const take = (file: File | undefined) => {
    if (file === undefined) return;
    setVideo(file);
    setName(refines?.name ?? nameOf(file));
    setProgress({ step: "choosing" });
  };

  const build = async () => {
    if (video === null) return;
    abort.current = new AbortController();
    const { signal } = abort.current;
    setProgress({ step: "sending", fraction: 0 });
    try {
      const sample = {
        name: name.trim(),
        exercise: refines?.exercise ?? exercise,
        video,
        refines: refines?.reference_id ?? "",
        silhouettes,
      };
      const started = await uploadSample(
        sample,
        (fraction) => setProgress({ step: "sending", fraction }),
        signal,
      );
      const done = await followBuild(started, (now) => setProgress({ step: "building", build: now }), signal);
      if (done.reference !== null) await onBuilt(done.reference);
      setProgress({ step: "built", name: sample.name });
      setVideo(null);
    } catch (error) {
      if (signal.aborted) setProgress({ step: "choosing" });
      else setProgress({ step: "failed", reason: sentence(error, t) });
    }
  };

  const busy = progress.step === "sending" || progress.step === "building";
  return (
    <section class="sample">
      <h3>{t(refines === undefined ? "reference.add" : "library.refine")}</h3>
      <p class="muted">{t(refines === undefined ? "reference.add.body" : "library.refine.body")}</p>
      {progress.step === "built" && (
        <p class="success" role="status">
          <Icon name="check" />
          {t(refines === undefined ? "reference.built" : "library.refined", { name: progress.name })}
        </p>
      )}
      {progress.step === "failed" && (
        <p class="problem" role="alert">
          {progress.reason}
        </p>
      )}
      {!busy && <VideoDrop video={video} onVideo={take} />}
      {video !== null && !busy && (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void build();
          }}
        >
          {refines === undefined && (
            <>
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
                  {EXERCISES.map((each) => (
                    <option key={each} value={each}>
                      {t(`exercise.${each}`)}
                    </option>
                  ))}
                </select>
              </label>
            </>
          )}
          <label class="check check-wide" title={t("library.silhouettes.body")}>
            <input type="checkbox" checked={silhouettes} onChange={() => setSilhouettes(!silhouettes)} />
            <span>
              {t("library.silhouettes")}
              <small class="muted">{t("library.silhouettes.body")}</small>
            </span>
          </label>
          <button type="submit" class="button button-primary" disabled={name.trim() === ""}>
            {t(
              progress.step === "failed"
                ? "reference.again"
                : refines === undefined
                  ? "reference.build"
                  : "library.refine.action",
            )}
          </button>
        </form>
      )}
      {busy && (
        <div class="building">
          <BuildProgress progress={progress} />
          <button type="button" class="button" onClick={() => abort.current?.abort()}>
            {t("reference.cancel")}
          </button>
        </div>
      )}
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

function BuildProgress({ progress }: { progress: Progress }) {
  const t = useText();
  if (progress.step === "sending")
    return <ProgressLine text={t("build.sending")} fraction={progress.fraction} />;
  if (progress.step !== "building") return null;
  const { stage, fraction, frames_done, frames_total } = progress.build;
  const frames = stage === "detecting" ? { done: frames_done, total: frames_total } : null;
  return <ProgressLine text={t(`build.${stage}`)} fraction={fraction} frames={frames} />;
}
