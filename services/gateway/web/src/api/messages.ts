// Messages of WS /ws/v1/sessions/{id}, as docs/api.md describes them.

import type { Cue, JointError, Notice, Phase, Repetition, Session, SubScores } from "./documents";

export type Topic = "poses" | "score" | "repetition" | "advice" | "status" | "clock";

/** Milliseconds from the capture to each stage; stages that cannot be compared are left out. */
export type Stages = Record<string, number>;

export interface Hello {
  type: "hello";
  protocol: number;
  session_id: string;
  topics: Topic[];
  server_us: number;
  resumed_after: number | null;
  gap: boolean;
}

export interface CameraPose {
  camera_id: string;
  epoch: number;
  frame: number;
  server_us: number | null;
  uncertainty_us: number | null;
  time_source: string;
  width: number;
  height: number;
  persons: number;
  /** 33 x, y pairs in pixels of the frame; null: nobody found. */
  image_px: number[] | null;
  world_m: number[] | null;
  visibility: number[] | null;
  stages_ms: Stages;
}

export interface Poses {
  type: "poses";
  seq: number;
  server_us: number;
  kind: "group" | "resampled";
  spread_us: number;
  cameras: CameraPose[];
  missing: { camera_id: string; reason: string }[];
  stages_ms: Stages;
}

export type TrackingState =
  | "not_visible"
  | "ready"
  | "tracking"
  | "hold"
  | "lost"
  | "rest"
  | "done"
  | "no_reference";

export interface Score {
  type: "score";
  seq: number;
  server_us: number;
  state: TrackingState;
  phase: Phase | null;
  reference_id: string;
  reference_version: number;
  /** Position in the sample video, frames; null: not tracking. */
  reference_frame: number | null;
  confidence: number;
  score: number | null;
  sub_scores: SubScores;
  joint_errors: JointError[];
  repetitions: number;
  cue: Cue | null;
  notice: Notice | null;
  /** Mean cosine of the limbs with the reference's; an explanation, no score. */
  cosine: number | null;
  /** Share of the outlines that overlaps, 0 to 1; an explanation, no score. */
  silhouette_overlap: number | null;
  stages_ms: Stages;
}

export type RepetitionMessage = { type: "repetition"; seq: number; server_us: number } & Repetition;
export type AdviceMessage = { type: "advice"; seq: number; server_us: number } & Cue;

export interface Clock {
  offset_us: number;
  drift_ppm: number;
  round_trip_us: number;
  jitter_us: number;
  uncertainty_us: number;
  probes: number;
}

export interface CameraStatus {
  camera_id: string;
  connected: boolean;
  fps: number | null;
  width: number | null;
  height: number | null;
  time_source: string | null;
  idle: boolean;
  completeness: number | null;
  delay_median_ms: number | null;
  delay_p99_ms: number | null;
  last_us: number | null;
  dropped: Record<string, number>;
  clock: Clock | null;
}

/** What moves in a camera's picture comes later than in the others': its clock is right and its pictures are not. */
export interface Alarm {
  camera_id: string;
  /** Late positive; what is taken off already is included. */
  lag_ms: number;
  /** Both null while nobody moves; confidence is 0 to 1. */
  uncertainty_ms: number | null;
  confidence: number | null;
  /** Whether something is being taken off, and what. */
  applied: boolean;
  applied_lag_ms: number | null;
}

export interface Status {
  type: "status";
  session: Session;
  cameras: CameraStatus[];
  sync: {
    watermark_us: number | null;
    lateness_ms: number;
    sets: number;
    completeness: number;
    spread_median_us: number;
    replica_id: string;
  } | null;
  alarms?: Alarm[];
  viewers: number;
  server_us: number;
  problems: string[];
}

export interface Skipped {
  type: "skipped";
  poses: number;
  score: number;
}

export interface Pong {
  type: "pong";
  id: number;
  server_us: number;
}

/** Every kind this page understands; others are ignored, as the protocol asks. */
export type ServerMessage =
  | Hello
  | Poses
  | Score
  | RepetitionMessage
  | AdviceMessage
  | Status
  | Skipped
  | Pong;
