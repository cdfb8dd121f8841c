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

/** `body`: a form as it is, anything else as JSON. */
export async function call<T>(
  method: string,
  address: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      ...(body === undefined
        ? { headers }
        : body instanceof FormData
          ? { body, headers }
          : { body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } }),
    });
  } catch {
    throw new Problem(0, "UNREACHABLE", "");
  }
  const document: unknown = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok)
    throw told(
      Problem.of(
        document as Partial<ProblemDocument> | null,
        answer.status,
        answer.headers.get("Retry-After"),
      ),
    );
  return document as T;
}
