import { useEffect, useRef, useState } from "preact/hooks";
import { type ComparisonJob, cancelComparison } from "../../api/comparison";
import { type Exercise, exercises } from "../../api/exercises";
import { type Against, CANCELLED, followComparison, uploadComparison } from "../../api/upload";
import { useText } from "../../i18n";
import { language } from "../../state/preferences";
import { loadReferences, referenceList, sentence } from "../../state/references";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";
import { ProgressLine } from "../ProgressLine";
import { VideoDrop } from "../VideoDrop";
import type { Files } from "./ComparePage";

type Progress =
  | { step: "choosing" }
  | { step: "sending"; fraction: number }
  | { step: "comparing"; job: ComparisonJob }
  | { step: "failed"; reason: string };

interface Props {
  onDone: (job: ComparisonJob, files: Files) => void;
}

/** Chooses a sample and an attempt, sends them and tells how far the comparison is. */
export function CompareForm({ onDone }: Props) {
  const t = useText();
  const references = useValue(referenceList);
  const [stored, setStored] = useState<boolean | null>(null);
  const [referenceId, setReferenceId] = useState("");
  const [sample, setSample] = useState<File | null>(null);
  const [exercise, setExercise] = useState("");
  const [silhouettes, setSilhouettes] = useState(false);
  const [attempt, setAttempt] = useState<File | null>(null);
  const [progress, setProgress] = useState<Progress>({ step: "choosing" });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => {
    loadReferences().catch(() => undefined); // without them there are still videos
    return () => abort.current?.abort();
  }, []);

  const someStored = references !== null && references.length > 0;
  const fromStored = someStored && (stored ?? true);
  const chosenId = referenceId || (references?.[0]?.reference_id ?? "");
  const against: Against | null = fromStored
    ? { referenceId: chosenId }
    : sample === null
      ? null
      : { video: sample, exercise, silhouettes };

  const compare = async () => {
    if (against === null || attempt === null) return;
    abort.current = new AbortController();
    const { signal } = abort.current;
    setProgress({ step: "sending", fraction: 0 });
    let last: ComparisonJob | null = null as ComparisonJob | null;
    try {
      const started = await uploadComparison(
        against,
        attempt,
        (fraction) => setProgress({ step: "sending", fraction }),
        signal,
      );
      const done = await followComparison(
        started,
        (job) => {
          last = job;
          setProgress({ step: "comparing", job });
        },
        signal,
      );
      onDone(done, { attempt, sample: fromStored ? null : sample });
    } catch (error) {
      if (!signal.aborted) {
        setProgress({ step: "failed", reason: `${about(last)}${sentence(error, t)}` });
        return;
      }
      setProgress({ step: "choosing" });
      if (last !== null && signal.reason === CANCELLED)
        await cancelComparison(last.compare_id).catch(() => undefined); // over already
    }
  };
  /** Which of the two it was, where it is known. */
  const about = (job: ComparisonJob | null) =>
    job === null || job.video === null ? "" : `${t(`compare.${job.video}`)}: `;

  const busy = progress.step === "sending" || progress.step === "comparing";
  return (
    <>
      <header class="view-head">
        <div>
          <h2>{t("compare.title")}</h2>
          <p class="muted">{t("compare.body")}</p>
        </div>
      </header>
      {progress.step === "failed" && (
        <p class="problem" role="alert">
          {progress.reason}
        </p>
      )}
      <form
        class="compare-form"
        onSubmit={(event) => {
          event.preventDefault();
          void compare();
        }}
      >
        <fieldset class="card side" disabled={busy}>
          <legend class="visually-hidden">{t("compare.sample")}</legend>
          <p class="side-title" aria-hidden="true">
            {t("compare.sample")}
          </p>
          {someStored && <SourceSwitch stored={fromStored} choose={setStored} />}
          {fromStored ? (
            <label class="field">
              {t("compare.sample.which")}
              <select value={chosenId} onChange={(event) => setReferenceId(event.currentTarget.value)}>
                {references.map(({ reference_id, name }) => (
                  <option key={reference_id} value={reference_id}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          ) : (
            <>
              <VideoChoice busy={busy} label={t("compare.video.sample")} video={sample} choose={setSample} />
              <ExerciseField value={exercise} choose={setExercise} />
              <label class="check">
                <input type="checkbox" checked={silhouettes} onChange={() => setSilhouettes(!silhouettes)} />
                <span>
                  {t("compare.silhouettes")}
                  <small class="muted">{t("compare.silhouettes.body")}</small>
                </span>
              </label>
            </>
          )}
        </fieldset>
        <fieldset class="card side" disabled={busy}>
          <legend class="visually-hidden">{t("compare.attempt")}</legend>
          <p class="side-title" aria-hidden="true">
            {t("compare.attempt")}
          </p>
          <VideoChoice busy={busy} label={t("compare.video.attempt")} video={attempt} choose={setAttempt} />
          <p class="muted">{t("reference.add.body")}</p>
        </fieldset>
        {busy ? (
          <div key="busy" class="card building compare-foot">
            <CompareProgress progress={progress} />
            <button type="button" class="button" onClick={() => abort.current?.abort(CANCELLED)}>
              {t("reference.cancel")}
            </button>
          </div>
        ) : (
          // a node of its own: were Cancel's button made into this one, its click would send the form anew
          <div key="ready" class="compare-foot">
            <button
              type="submit"
              class="button button-primary"
              disabled={against === null || attempt === null}
            >
              {t(progress.step === "failed" ? "reference.again" : "compare.start")}
            </button>
            <p class="muted">{t("compare.privacy")}</p>
          </div>
        )}
      </form>
    </>
  );
}

interface ChoiceProps {
  busy: boolean;
  label: string;
  video: File | null;
  choose: (video: File) => void;
}

/** While the videos are being compared, only what was chosen. */
function VideoChoice({ busy, label, video, choose }: ChoiceProps) {
  if (busy && video !== null)
    return (
      <p class="chosen-file">
        <Icon name="film" />
        {video.name}
      </p>
    );
  return <VideoDrop label={label} video={video} onVideo={(file) => file !== undefined && choose(file)} />;
}

function SourceSwitch({ stored, choose }: { stored: boolean; choose: (stored: boolean) => void }) {
  const t = useText();
  return (
    <div class="segments source">
      {[true, false].map((each) => (
        <button key={String(each)} type="button" aria-pressed={stored === each} onClick={() => choose(each)}>
          {t(each ? "compare.sample.stored" : "compare.sample.file")}
        </button>
      ))}
    </div>
  );
}

/** The names of the exercises come from the gateway, in both languages. */
function ExerciseField({ value, choose }: { value: string; choose: (exercise: string) => void }) {
  const t = useText();
  const chosen = useValue(language);
  const [known, setKnown] = useState<readonly Exercise[]>([]);
  useEffect(() => {
    exercises().then(setKnown, () => undefined); // optional: without it any movement is compared
  }, []);
  return (
    <label class="field">
      {t("reference.exercise")}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{t("exercise.")}</option>
        {known
          .filter(({ exercise }) => exercise !== "any" && exercise !== "")
          .map(({ exercise, name }) => (
            <option key={exercise} value={exercise}>
              {name[chosen]}
            </option>
          ))}
      </select>
    </label>
  );
}

function CompareProgress({ progress }: { progress: Progress }) {
  const t = useText();
  if (progress.step === "sending")
    return <ProgressLine text={t("compare.sending")} fraction={progress.fraction} />;
  if (progress.step !== "comparing") return null;
  const { video, stage, fraction, frames_done, frames_total } = progress.job;
  const step = t(`build.${stage ?? "analysing"}`);
  return (
    <ProgressLine
      text={video === null ? step : t(`compare.stage.${video}`, { stage: step })}
      fraction={fraction}
      frames={stage === "detecting" ? { done: frames_done, total: frames_total ?? 0 } : null}
    />
  );
}
