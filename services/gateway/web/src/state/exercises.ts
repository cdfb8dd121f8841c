// What KOMI knows of exercises, asked for once.

import { type Exercise, exercises } from "../api/exercises";

let asked: Promise<readonly Exercise[]> | null = null;

/** One exercise; null: KOMI knows nothing of it, or cannot be asked. */
export async function exerciseOf(name: string): Promise<Exercise | null> {
  if (name === "") return null;
  asked ??= exercises();
  try {
    return (await asked).find(({ exercise }) => exercise === name) ?? null;
  } catch {
    asked = null; // asked again next time
    return null;
  }
}
