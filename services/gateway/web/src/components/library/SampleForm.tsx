import { useEffect, useRef, useState } from "preact/hooks";
import type { Build, Reference } from "../../api/documents";
import { followBuild, uploadSample } from "../../api/upload";
import { useText } from "../../i18n";
import { sentence } from "../../state/references";
import { Icon } from "../Icon";

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
      {!busy && <DropZone video={video} onVideo={take} />}
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
          <ProgressBar progress={progress} />
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

function DropZone({ video, onVideo }: { video: File | null; onVideo: (file: File | undefined) => void }) {
  const t = useText();
  const [over, setOver] = useState(false);
  return (
    <label
      class={`drop${over ? " drop-over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onVideo(event.dataTransfer?.files[0]);
      }}
    >
      <Icon name={video === null ? "upload" : "film"} />
      <span>
        {video === null ? t("reference.drop") : `${video.name} · ${(video.size / 1e6).toFixed(1)} MB`}
      </span>
      <input
        type="file"
        accept="video/*"
        class="visually-hidden"
        onChange={(event) => onVideo(event.currentTarget.files?.[0])}
      />
    </label>
  );
}

function ProgressBar({ progress }: { progress: Progress }) {
  const t = useText();
  if (progress.step !== "sending" && progress.step !== "building") return null;
  const build = progress.step === "building" ? progress.build : null;
  const fraction = progress.step === "sending" ? progress.fraction : progress.build.fraction;
  const text = t(build === null ? "build.sending" : `build.${build.stage}`);
  const known = fraction > 0;
  return (
    <div class="progress">
      <p>
        <span aria-live="polite">{text}</span>
        <span class="muted">
          {build !== null && build.stage === "detecting" && build.frames_total > 0
            ? t("build.frames", { done: build.frames_done, total: build.frames_total })
            : known && `${Math.round(fraction * 100)} %`}
        </span>
      </p>
      <progress aria-label={text} max={1} {...(known ? { value: fraction } : {})} />
    </div>
  );
}
