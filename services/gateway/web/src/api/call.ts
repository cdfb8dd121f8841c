// One request to the REST API. Whatever goes wrong is a Problem, with a sentence for people.

import type { ProblemDocument } from "./documents";

/** The gateway refused (status, reason and detail are its own) or could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
    /** Seconds after which to try again; null: it did not say. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(document: Partial<ProblemDocument> | null, status: number, retryAfter?: string | null): Problem {
    const seconds = Number(retryAfter ?? Number.NaN);
    return new Problem(
      status,
      document?.reason ?? "UNKNOWN",
      document?.detail ?? `HTTP ${status}`,
      Number.isFinite(seconds) ? seconds : null,
    );
  }
}

let heard: (problem: Problem) => void = () => undefined;

/** Who hears of refused tokens, whichever request met them. */
export function whenTokenRefused(listener: (problem: Problem) => void): void {
  heard = listener;
}

/** The problem, after telling of it if it is about the token. */
export function told(problem: Problem): Problem {
  if (problem.status === 401) heard(problem);
  return problem;
}

const MOST_WAITS = 3;
const LONGEST_WAIT_S = 30;

let heldBack: (untilMs: number) => void = () => undefined;

/** Who hears that a request was one too many and goes out again by itself at `untilMs` (of Date.now()). */
export function whenHeldBack(listener: (untilMs: number) => void): void {
  heldBack = listener;
}

/** Sends a request and gives its answer, whatever waiting the gateway asks for. `body`: a form as it is, anything else
 * as JSON. Throws a Problem. */
export async function ask(
  method: string,
  address: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const options = {
    method,
    ...(body === undefined
      ? { headers }
      : body instanceof FormData
        ? { body, headers }
        : { body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } }),
  };
  for (let waits = 0; ; waits++) {
    let answer: Response;
    try {
      answer = await fetch(address, options);
    } catch {
      throw new Problem(0, "UNREACHABLE", "");
    }
    if (answer.ok) return answer;
    const document = (await answer.json().catch(() => null)) as Partial<ProblemDocument> | null;
    const problem = Problem.of(document, answer.status, answer.headers.get("Retry-After"));
    // Refused before anything was done, so that even what is not idempotent may be asked again.
    const waitS = problem.reason === "TOO_MANY_REQUESTS" ? (problem.retryAfterS ?? 1) : null;
    if (waitS === null || waitS > LONGEST_WAIT_S || waits === MOST_WAITS) throw told(problem);
    heldBack(Date.now() + 1000 * waitS);
    await new Promise((resolve) => setTimeout(resolve, 1000 * waitS));
  }
}

/** The same, and the JSON of the answer. */
export async function call<T>(
  method: string,
  address: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<T> {
  const answer = await ask(method, address, body, headers);
  return (answer.status === 204 ? null : await answer.json()) as T;
}
