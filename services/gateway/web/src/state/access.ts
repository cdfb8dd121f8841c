// What this browser may do here, and whether a token has to be asked for.

import { type Problem, whenHeldBack, whenTokenRefused } from "../api/call";
import type { Access } from "../api/documents";
import { access, tryToken } from "../api/rest";
import { Value } from "./value";

export type Entry =
  | { state: "asking" }
  /** Inside. `access` is null where it could not be learnt: without a gateway, or with a camera's token. */
  | { state: "inside"; access: Access | null }
  /** A camera's token, where it opens nothing. */
  | { state: "camera" }
  | { state: "refused"; reason: "missing" | "wrong"; waitS: number };

export const entry = new Value<Entry>({ state: "asking" });

whenTokenRefused((problem) => entry.set(refusal(problem)));

export function refusal({ reason, retryAfterS }: Problem): Entry {
  return {
    state: "refused",
    reason: reason === "TOKEN_MISSING" ? "missing" : "wrong",
    waitS: Math.ceil(retryAfterS ?? 0),
  };
}

/** When a request that was one too many goes out again, of Date.now(); 0: none waits. */
export const heldBack = new Value(0);

whenHeldBack((untilMs) => heldBack.set(Math.max(untilMs, heldBack.get())));

/** Finds out, once, before anything else is asked for: with a wrong token every request would count as a guess. */
export async function enter(cameraToo: boolean): Promise<void> {
  // The gateway takes a right token out of the address: one that still stands there is wrong, or was one guess too many.
  const refused = new URLSearchParams(location.search).get("token");
  try {
    const allowed = await (refused === null ? access() : tryToken(refused));
    if (refused === null || allowed.open) entry.set({ state: "inside", access: allowed });
    else location.reload(); // right after all: it may be guessed again by now
  } catch (error) {
    const problem = error as Problem;
    if (problem.status === 401 || problem.reason === "TOO_MANY_GUESSES") entry.set(refusal(problem));
    else if (problem.status === 403 && !cameraToo) entry.set({ state: "camera" });
    else entry.set({ state: "inside", access: null });
  }
}

/** Tries a token and, if it is one, opens this page with it. Throws the Problem if it is none. */
export async function openWith(token: string, check: (token: string) => Promise<unknown>): Promise<void> {
  try {
    await check(token);
  } catch (error) {
    if ((error as Problem).status !== 403) throw error; // a camera's token is right, and opens nothing else
  }
  const address = new URL(location.href);
  address.searchParams.set("token", token); // the gateway makes a cookie of it and takes it out of the address
  location.replace(address);
}
