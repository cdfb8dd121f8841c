// Documents of the gateway's REST API, as docs/api.md describes them. Times ending in _us are microseconds since
// the epoch on the server clock. Unknown is null.

export interface Camera {
  camera_id: string;
  session_id: string;
  connected_us: number;
  last_frame_us: number | null;
  fps: number;
  width: number;
  height: number;
  time_source: string;
  dropped: Record<string, number>;
  replica_id: string;
}

export type Mode = "user" | "video";

export interface Session {
  session_id: string;
  /** Empty: every camera that names this session itself. */
  cameras: string[];
  /** Empty: none. */
  reference_id: string;
  reference_version: number;
  mode: Mode;
  resample: boolean | null;
  state: "open" | "ended";
  created_us: number;
  ended_us: number | null;
}

export interface SessionChange {
  cameras?: string[];
  reference_id?: string;
  reference_version?: number;
  mode?: Mode;
  resample?: boolean | null;
}

export interface Curve {
  name: string;
  /** One value a template frame. */
  degrees: number[];
}

export interface Reference {
  reference_id: string;
  version: number;
  name: string;
  exercise: string;
  kind: "repetitions" | "hold";
  created_us: number;
  frames: number;
  fps: number;
  repetitions: number;
  template_first_frame: number;
  template_frames: number;
  view_degrees: number | null;
  remarks: string[];
  /** Empty in lists. */
  curves: Curve[];
  /** 33 x, y pairs a template frame, in trunk lengths from the middle of the hips, y down. Empty in lists. */
  ghost: number[][];
}

export interface Access {
  /** No token is asked for. */
  open: boolean;
  scope: "view" | "camera" | "admin";
  /** For an admin, to hand out. */
  view_token: string | null;
  camera_token: string | null;
}

export interface ProblemDocument {
  status: number;
  title: string;
  detail: string;
  reason: string;
}

export interface Build {
  build_id: string;
  state: "running" | "done" | "failed";
  stage: "uploading" | "detecting" | "analysing";
  /** Share of the stage that is done, 0 to 1. */
  fraction: number;
  frames_done: number;
  frames_total: number;
  reference: Reference | null;
  problem: ProblemDocument | null;
}

export interface SubScores {
  form: number | null;
  range: number | null;
  tempo: number | null;
  symmetry: number | null;
  stability: number | null;
}

export interface JointError {
  joint: string;
  degrees: number;
  /** In tolerances: 1 is the edge of what passes. */
  severity: number;
}

export type Phase = "ready" | "out" | "turn" | "back";

export interface Repetition {
  number: number;
  start_us: number;
  end_us: number;
  score: number | null;
  sub_scores: SubScores;
  out_s: number;
  turn_s: number;
  back_s: number;
  range_of_motion: number;
  joint_errors: JointError[];
  worst_phase: Phase | null;
  cosine: number;
}

export interface Summary {
  session_id: string;
  reference_id: string;
  repetitions: Repetition[];
  mean_score: number | null;
}
