// The references there are, and the whole of those that are used.

import { Problem } from "../api/call";
import type { Reference } from "../api/documents";
import { reference, references } from "../api/rest";
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

/** The sentence to show for whatever went wrong; null when the gateway could not be reached. */
export function sentence(error: unknown): string | null {
  if (error instanceof Problem) return error.status === 0 ? null : error.message;
  return String(error);
}
