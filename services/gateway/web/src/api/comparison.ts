// Comparing two videos.

import { http } from "./address";
import { call } from "./call";
import type {
  Build,
  JointError,
  Notice,
  Performed,
  Phase,
  ProblemDocument,
  Reference,
  SubScores,
} from "./documents";
import { api } from "./rest";

export interface ComparedRepetition extends Performed {
  /** From the attempt's first frame. */
  start_s: number;
  end_s: number;
}

/** One frame of the attempt, and what of the sample shows the same. */
export interface FramePair {
  attempt_frame: number;
  sample_frame: number | null;
  phase: Phase | null;
  score: number | null;
  joint_errors: JointError[];
  /** Share of the outlines that overlaps, 0 to 1. */
  silhouette_overlap: number | null;
  /** The attempt's 33 landmarks: x, y pairs in thousandths of its picture's width and height; null where not seen. */
  landmarks: (number | null)[] | null;
}

export interface ComparedCurve {
  name: string;
  /** One value a frame of the attempt. */
  attempt_degrees: (number | null)[];
  sample_degrees: (number | null)[];
}

export interface Comparison {
  /** Its id is empty where the sample was a video. */
  reference: Reference;
  attempt_frames: number;
  attempt_fps: number;
  score: number | null;
  sub_scores: SubScores;
  cosine: number | null;
  /** Mean share of the outlines that overlaps, 0 to 1. */
  silhouette_overlap: number | null;
  repetitions: ComparedRepetition[];
  /** Every frame of the attempt. */
  frames: FramePair[];
  curves: ComparedCurve[];
  notices: Notice[];
}

export interface ComparisonJob {
  compare_id: string;
  state: "running" | "done" | "failed";
  /** Which one it is at. */
  video: "sample" | "attempt" | null;
  stage: Build["stage"];
  fraction: number;
  frames_done: number;
  frames_total: number;
  comparison: Comparison | null;
  problem: ProblemDocument | null;
}

export const comparison = (id: string): Promise<ComparisonJob> => call("GET", api("compare", id));

/** Ends one on its way, or forgets what it found. */
export const cancelComparison = (id: string): Promise<void> => call("DELETE", api("compare", id));

export const comparisonEvents = (id: string): string => api("compare", id, "events");

export const compareAddress = (): string => http("api", "v1", "compare");
