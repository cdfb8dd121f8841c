// A video on its way to becoming part of a reference: what the forms for that have in common.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Build } from "../../api/documents";
import { cancelBuild } from "../../api/references";
import { CANCELLED, followBuild } from "../../api/upload";
import { useText } from "../../i18n";
import { sentence } from "../../state/references";
import { Icon } from "../Icon";
import { ProgressLine } from "../ProgressLine";

export type Progress =
  | { step: "choosing" }
  | { step: "sending"; fraction: number }
  | { step: "building"; build: Build }
  | { step: "built" }
  | { step: "failed"; reason: string };

/** Sends a video, hearing the share that has left; aborting the signal gives it up. */
export type Send = (onSent: (fraction: number) => void, signal: AbortSignal) => Promise<Build>;

export interface Building {
  progress: Progress;
  busy: boolean;
  /** Sends, follows the build and gives the finished one to `onBuilt`. Whether it came to that. */
  run(send: Send, onBuilt: (build: Build) => Promise<void>): Promise<boolean>;
  cancel(): void;
  /** Another video was chosen: what became of the one before no longer matters. */
  reset(): void;
}

export function useBuilding(): Building {
  const t = useText();
  const [progress, setProgress] = useState<Progress>({ step: "choosing" });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  return {
    progress,
    busy: progress.step === "sending" || progress.step === "building",
    async run(send, onBuilt) {
      abort.current = new AbortController();
      const { signal } = abort.current;
      setProgress({ step: "sending", fraction: 0 });
      let first: Build | null = null;
      try {
        first = await send((fraction) => setProgress({ step: "sending", fraction }), signal);
        const done = await followBuild(first, (build) => setProgress({ step: "building", build }), signal);
        await onBuilt(done);
        setProgress({ step: "built" });
        return true;
      } catch (error) {
        if (!signal.aborted) setProgress({ step: "failed", reason: sentence(error, t) });
        else {
          setProgress({ step: "choosing" });
          if (first !== null && signal.reason === CANCELLED)
            await cancelBuild(first.build_id).catch(() => undefined); // over already
        }
        return false;
      }
    },
    cancel: () => abort.current?.abort(CANCELLED),
    reset: () => setProgress({ step: "choosing" }),
  };
}

/** How it goes, and how it went. */
export function BuildingState({ building, built }: { building: Building; built: string }) {
  const t = useText();
  const { progress, cancel } = building;
  if (progress.step === "built")
    return (
      <p class="success" role="status">
        <Icon name="check" />
        {built}
      </p>
    );
  if (progress.step === "failed")
    return (
      <p class="problem" role="alert">
        {progress.reason}
      </p>
    );
  if (progress.step === "choosing") return null;
  return (
    <div class="building">
      {progress.step === "sending" ? (
        <ProgressLine text={t("build.sending")} fraction={progress.fraction} />
      ) : (
        <BuildLine build={progress.build} />
      )}
      <button type="button" class="button" onClick={cancel}>
        {t("reference.cancel")}
      </button>
    </div>
  );
}

function BuildLine({ build: { stage, fraction, frames_done, frames_total } }: { build: Build }) {
  const t = useText();
  const frames = stage === "detecting" ? { done: frames_done, total: frames_total } : null;
  return <ProgressLine text={t(`build.${stage}`)} fraction={fraction} frames={frames} />;
}
