// What KOMI knows of exercises.

import { call } from "./call";
import { api } from "./rest";

export interface Bilingual {
  ko: string;
  en: string;
}

export interface Exercise {
  exercise: string;
  kind: "repetitions" | "hold";
  name: Bilingual;
  summary: Bilingual;
  steps: Bilingual[];
  mistakes: Bilingual[];
  safety: Bilingual[];
  /** Where to put it. */
  camera: Bilingual;
}

export const exercises = async (): Promise<Exercise[]> =>
  (await call<{ exercises: Exercise[] }>("GET", api("exercises"))).exercises;
