// Videos go up in one request, then events tell how far the work on them is.

import { Problem, told } from "./call";
import { type ComparisonJob, compareAddress, comparison, comparisonEvents } from "./comparison";
import type { Build, ProblemDocument } from "./documents";
import { build, buildEvents } from "./references";
import { api } from "./rest";

export interface Sample {
  name: string;
  exercise: string;
  video: File;
  /** The reference that this video refines; empty: a new one. */
  refines: string;
  silhouettes: boolean;
}

/** Sends a form; `onSent` hears the share that has left, 0 to 1. Aborting the signal gives the upload up. */
function upload<T>(
  address: string,
  form: FormData,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much of a body has left
    request.open("POST", address);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 202) resolve(request.response as T);
      else
        reject(
          told(
            Problem.of(
              request.response as Partial<ProblemDocument> | null,
              request.status,
              request.getResponseHeader("Retry-After"),
            ),
          ),
        );
    };
    request.onerror = () => reject(new Problem(0, "UNREACHABLE", ""));
    request.onabort = () => reject(new Problem(0, "ABORTED", ""));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Why a signal was aborted where somebody said so. Who only leaves the page gives up an upload, but not the work on it. */
export const CANCELLED = "cancelled";

/** Work that goes on at the gateway. */
interface Job {
  state: "running" | "done" | "failed";
  problem: ProblemDocument | null;
}

/** Follows a job until it is over. Rejects with its problem when it fails. */
function follow<T extends Job>(
  first: T,
  event: string,
  address: string,
  ask: () => Promise<T>,
  onProgress: (job: T) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const events = new EventSource(address);
    const settle = (job: T) => {
      onProgress(job);
      if (job.state === "running") return;
      events.close();
      if (job.state === "done") resolve(job);
      else reject(Problem.of(job.problem, job.problem?.status ?? 0));
    };
    events.addEventListener(event, ({ data }) => settle(JSON.parse(data) as T));
    events.onerror = () => {
      // EventSource connects again by itself unless it was refused: then the job is asked once more, for its reason.
      if (events.readyState === EventSource.CLOSED) ask().then(settle, reject);
    };
    signal.addEventListener("abort", () => {
      events.close();
      reject(new Problem(0, "ABORTED", ""));
    });
    settle(first);
  });
}

/** Sends a sample to build a reference of, or to refine one with. */
export function uploadSample(
  sample: Sample,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Build> {
  const form = new FormData();
  form.append("name", sample.name);
  form.append("exercise", sample.exercise);
  if (sample.refines !== "") form.append("reference_id", sample.refines);
  if (sample.silhouettes) form.append("silhouettes", "true");
  form.append("file", sample.video); // last: the gateway streams it through and has the fields by then
  return upload(api("references"), form, onSent, signal);
}

/** A video all of whose repetitions are right, or all wrong. */
export interface Labelled {
  correct: boolean;
  /** Who performs them, any name; empty: not said. */
  person: string;
  video: File;
}

/** Sends repetitions that a reference learns from where right ends. */
export function uploadLabelled(
  referenceId: string,
  { correct, person, video }: Labelled,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Build> {
  const form = new FormData();
  form.append("correct", String(correct));
  if (person.trim() !== "") form.append("person", person.trim());
  form.append("file", video);
  return upload(api("references", referenceId, "calibration"), form, onSent, signal);
}

export const followBuild = (
  first: Build,
  onProgress: (build: Build) => void,
  signal: AbortSignal,
): Promise<Build> =>
  follow(first, "build", buildEvents(first.build_id), () => build(first.build_id), onProgress, signal);

/** What an attempt is held against: a stored reference or another video. */
export type Against = { referenceId: string } | { video: File; exercise: string; silhouettes: boolean };

/** Sends what is to be compared. */
export function uploadComparison(
  against: Against,
  attempt: File,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<ComparisonJob> {
  const form = new FormData(); // the order is the protocol's: fields, the sample, the attempt
  if ("referenceId" in against) form.append("reference_id", against.referenceId);
  else {
    form.append("exercise", against.exercise);
    if (against.silhouettes) form.append("silhouettes", "true");
    form.append("sample", against.video);
  }
  form.append("attempt", attempt);
  return upload(compareAddress(), form, onSent, signal);
}

export const followComparison = (
  first: ComparisonJob,
  onProgress: (job: ComparisonJob) => void,
  signal: AbortSignal,
): Promise<ComparisonJob> =>
  follow(
    first,
    "compare",
    comparisonEvents(first.compare_id),
    () => comparison(first.compare_id),
    onProgress,
    signal,
  );
