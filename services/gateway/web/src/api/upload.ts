// Building a reference: the video goes up in one request, then the build tells how far it is.

import { http } from "./address";
import { Problem, told } from "./call";
import type { Build, ProblemDocument } from "./documents";
import { buildEvents, build as buildNow } from "./rest";

export interface Sample {
  name: string;
  exercise: string;
  video: File;
}

/** Sends the video; `onSent` hears the share that has left, 0 to 1. Aborting the signal gives the upload up. */
export function uploadSample(
  sample: Sample,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Build> {
  const form = new FormData();
  form.append("name", sample.name);
  form.append("exercise", sample.exercise);
  form.append("file", sample.video); // last: the gateway streams it through and has the fields by then
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch cannot tell how much of a body has left
    request.open("POST", http("api", "v1", "references"));
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 202) resolve(request.response as Build);
      else reject(told(Problem.of(request.response as Partial<ProblemDocument> | null, request.status)));
    };
    request.onerror = () => reject(new Problem(0, "UNREACHABLE", ""));
    request.onabort = () => reject(new Problem(0, "ABORTED", ""));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Follows a build until it is over. Rejects with its problem when it fails. */
export function followBuild(
  first: Build,
  onProgress: (build: Build) => void,
  signal: AbortSignal,
): Promise<Build> {
  return new Promise((resolve, reject) => {
    const events = new EventSource(buildEvents(first.build_id));
    const settle = (build: Build) => {
      onProgress(build);
      if (build.state === "running") return;
      events.close();
      if (build.state === "done") resolve(build);
      else reject(Problem.of(build.problem, build.problem?.status ?? 0));
    };
    events.addEventListener("build", (event) => settle(JSON.parse(event.data) as Build));
    events.onerror = () => {
      // EventSource connects again by itself unless it was refused: then the build is asked once more, for its reason.
      if (events.readyState === EventSource.CLOSED) buildNow(first.build_id).then(settle, reject);
    };
    signal.addEventListener("abort", () => {
      events.close();
      reject(new Problem(0, "ABORTED", ""));
    });
    settle(first);
  });
}
