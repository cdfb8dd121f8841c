// The references there are, and the whole of those that are used.

import { Problem } from "../api/call";
import type { Reference } from "../api/documents";
import { reference, references } from "../api/references";
import type { Text, Translate } from "../i18n";
import { en } from "../i18n/en";
import { Value } from "./value";

/** Newest first, without curves; null until first loaded. */
export const referenceList = new Value<readonly Reference[] | null>(null);

const whole = new Map<string, Promise<Reference>>();

/** Loads the list; throws a Problem. */
export async function loadReferences(): Promise<void> {
  referenceList.set(await references());
}

/** One reference with curves and ghost, asked for once a version. */
export function wholeReference(id: string, version: number): Promise<Reference> {
  const key = `${id}@${version}`;
  const known = whole.get(key);
  if (known !== undefined) return known;
  const asked = reference(id, version);
  whole.set(key, asked);
  asked.catch(() => whole.delete(key));
  return asked;
}

/** The sentence to show for whatever went wrong. */
export function sentence(error: unknown, t: Translate): string {
  if (!(error instanceof Problem)) return String(error);
  if (error.reason === "UNREACHABLE") return t("problem.unreachable");
  if (error.reason === "TOKEN_SCOPE") return t("problem.scope");
  if (error.status === 429) return t("problem.busy", { s: Math.max(1, Math.ceil(error.retryAfterS ?? 1)) });
  const known = `reason.${error.reason}`;
  if (known in en) return t(known as Text);
  return error.status === 503 ? t("problem.away") : error.message;
}
