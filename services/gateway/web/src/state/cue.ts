// When one piece of advice is another: for what is shown, and for what is read aloud.

import type { Cue, Notice } from "../api/documents";

/** Whether the same words stand. A language model's words take the place of the template's, a moment later. */
export function sameWords(a: Cue | null, b: Cue | null): boolean {
  return saying(a) === saying(b) && a?.phrased === b?.phrased;
}

/** What is said, in whichever words; null: nothing. It is read aloud once. */
export function saying(said: Cue | Notice | null): string | null {
  if (said === null) return null;
  return "repetition" in said ? `${said.code} ${said.repetition} ${said.praise}` : said.code;
}
