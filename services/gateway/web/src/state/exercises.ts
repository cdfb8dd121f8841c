// What KOMI knows of exercises, asked for once.

import { type Exercise, exercises } from "../api/exercises";

let asked: Promise<readonly Exercise[]> | null = null;

/** All of them, in the order they are to be shown; none while KOMI cannot be asked. */
export async function knownExercises(): Promise<readonly Exercise[]> {
  asked ??= exercises();
  try {
    return await asked;
  } catch {
    asked = null; // asked again next time
    return [];
  }
}

/** One exercise; null: KOMI knows nothing of it. */
export async function exerciseOf(name: string): Promise<Exercise | null> {
  return (await knownExercises()).find(({ exercise }) => exercise === name) ?? null;
}
