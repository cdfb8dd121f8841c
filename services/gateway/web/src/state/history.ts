// What the charts show: the score over the last minutes, and the joint angles of this repetition and the one before.

import type { JointError, Reference } from "../api/documents";
import type { Score } from "../api/messages";

const SPACING_US = 200_000;
const KEPT_POINTS = 1500; // five minutes
/** More rows than this between two sets, and the line is broken: a third of a second. */
const MOST_SKIPPED = 10;
const GAP_US = 2_000_000;

/** Score over time, thinned to what a chart can show. Seconds of the server clock. */
export class ScoreHistory {
  readonly seconds: number[] = [];
  readonly scores: (number | null)[] = [];
  #lastUs = 0;

  add(message: Score): void {
    if (message.server_us - this.#lastUs < SPACING_US) return;
    if (this.#lastUs > 0 && message.server_us - this.#lastUs > GAP_US)
      this.#push((this.#lastUs + SPACING_US) / 1e6, null);
    this.#push(message.server_us / 1e6, message.score);
    this.#lastUs = message.server_us;
  }

  #push(second: number, score: number | null): void {
    this.seconds.push(second);
    this.scores.push(score);
    if (this.seconds.length > KEPT_POINTS) {
      this.seconds.shift();
      this.scores.shift();
    }
  }
}

/** Rows a second of a template, whatever the frame rate of its video. */
export const TEMPLATE_HZ = 30;

/** Frame of the template that a frame of the reference's video is; null: beyond it. */
export function templateFrame(reference: Reference, videoFrame: number): number | null {
  const { template_first_frame, template_frames, fps } = reference;
  const frame = Math.round(((videoFrame - template_first_frame) * TEMPLATE_HZ) / (fps || TEMPLATE_HZ));
  return frame >= 0 && frame < template_frames ? frame : null;
}

/** The reference's curve that a joint's error is measured on. */
export function curveOf(joint: string): string {
  return joint === "trunk" ? "trunk_lean" : joint === "head" ? "neck" : joint;
}

type Angles = Map<string, (number | null)[]>;

/** Angles of the person by position in the template: the reference's, plus how far off scoring says they are. */
export class Trace {
  readonly joints: readonly string[];
  current: Angles;
  previous: Angles;
  #reference: Reference;
  #curves: Map<string, number[]>;
  #at: number | null = null;

  constructor(reference: Reference) {
    this.#reference = reference;
    this.#curves = new Map(reference.curves.map(({ name, degrees }) => [name, degrees]));
    this.joints = JOINTS.filter((joint) => this.#curves.has(curveOf(joint)));
    this.current = this.#empty();
    this.previous = this.#empty();
  }

  /** Frame of the template, 0 to template_frames − 1, that the person is at; null: not tracking. */
  position(score: Score): number | null {
    return score.reference_frame === null ? null : templateFrame(this.#reference, score.reference_frame);
  }

  expected(joint: string): readonly number[] {
    return this.#curves.get(curveOf(joint)) ?? [];
  }

  add(score: Score): void {
    const at = this.position(score);
    if (at === null) return;
    const from = this.#at !== null && this.#at < at && at - this.#at <= MOST_SKIPPED ? this.#at + 1 : at;
    for (const error of score.joint_errors) this.#mark(error, from, at);
    this.#at = at;
  }

  /** A repetition is over: what comes is the next one. */
  turnOver(): void {
    this.previous = this.current;
    this.current = this.#empty();
    this.#at = null;
  }

  /** Frames the position skipped get the same error, so that a slow camera still draws a line. */
  #mark({ joint, degrees }: JointError, from: number, to: number): void {
    const line = this.current.get(joint);
    const expected = this.expected(joint);
    if (line === undefined) return;
    for (let frame = from; frame <= to; frame++) line[frame] = (expected[frame] ?? 0) + degrees;
  }

  #empty(): Angles {
    const length = this.#reference.template_frames;
    return new Map(this.joints.map((joint) => [joint, new Array<number | null>(length).fill(null)]));
  }
}

const JOINTS = [
  "left_knee",
  "right_knee",
  "left_hip",
  "right_hip",
  "left_ankle",
  "right_ankle",
  "trunk",
  "left_shoulder",
  "right_shoulder",
  "left_elbow",
  "right_elbow",
  "head",
] as const;

/** Joints by how much they move in the reference, most first. */
export function widestJoints(trace: Trace): string[] {
  const range = (joint: string) => {
    const degrees = trace.expected(joint);
    return Math.max(...degrees) - Math.min(...degrees);
  };
  return [...trace.joints].sort((a, b) => range(b) - range(a));
}
