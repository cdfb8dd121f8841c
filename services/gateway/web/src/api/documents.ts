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
  /** After so many it is done; null: it goes on. */
  target_repetitions: number | null;
  /** Whether the sample may be followed as in a mirror. */
  allow_mirror: boolean;
  /** Whether cameras send outlines of the person; null: those that see what the reference's outlines show. */
  silhouettes: boolean | null;
  /** By camera, what is taken off its frames' times, late positive. */
  lag_us: Record<string, number>;
  /** Whether sync takes off by itself what it is sure of. */
  apply_content_lag: boolean;
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
  target_repetitions?: number | null;
  allow_mirror?: boolean;
  silhouettes?: boolean | null;
  lag_us?: Record<string, number>;
  apply_content_lag?: boolean;
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
  /** What to know of it. */
  remarks: Notice[];
  /** Whether sessions follow this version unless they name another. */
  active: boolean;
  /** How many videos it was made from. */
  videos: number;
  /** Whether it has outlines of the person. */
  silhouettes: boolean;
  /** Whether there are pictures of it. */
  strip: boolean;
  /** The labelled repetitions it learnt from where right ends. */
  calibration?: { source: "defaults" | "correct" | "labelled"; right: number; wrong: number; people: number };
  /** Empty in lists. */
  curves: Curve[];
  /** 33 x, y pairs a template frame, in trunk lengths from the middle of the hips, y down. Empty in lists. */
  ghost: number[][];
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

export interface Cue {
  code: string;
  text_ko: string;
  text_en: string;
  praise: boolean;
  joints: string[];
  repetition: number | null;
  /** A further tip; empty: none. */
  tip_ko: string;
  tip_en: string;
  /** Whether a language model chose the words. */
  phrased: boolean;
}

/** Something to know that is no correction of the movement. */
export interface Notice {
  code: string;
  text_ko: string;
  text_en: string;
}

/** What is said of a repetition wherever it was counted. */
export interface Performed {
  number: number;
  score: number | null;
  sub_scores: SubScores;
  out_s: number;
  turn_s: number;
  back_s: number;
  range_of_motion: number | null;
  joint_errors: JointError[];
  worst_phase: Phase | null;
  cosine: number | null;
  faults: string[];
  cue: Cue | null;
  /** Share of the outlines that overlaps, 0 to 1. */
  silhouette_overlap: number | null;
}

/** A repetition of a session, on the server clock. */
export interface Repetition extends Performed {
  start_us: number;
  end_us: number;
}

export interface Summary {
  session_id: string;
  reference_id: string;
  repetitions: Repetition[];
  mean_score: number | null;
}

export interface Access {
  /** No token is asked for. */
  open: boolean;
  scope: "view" | "camera" | "admin";
  /** For an admin, to hand out. */
  view_token: string | null;
  camera_token: string | null;
}
