// Which frame of the sample belongs to which frame of the attempt, and when a frame is on screen.

import type { Comparison, FramePair } from "../api/comparison";

/** Where a rate is not known. */
const USUAL_FPS = 30;

/** Frames counted as scoring counts them: the n-th picture of the file, from 0, `fps` of them a second. */
export class Track {
  readonly frames: number;
  readonly fps: number;
  readonly sampleFps: number;
  readonly #pairs: readonly FramePair[];
  /** By pair: the sample's frame, or the last one before it that was known. */
  readonly #held: readonly number[];

  constructor({ attempt_frames, attempt_fps, frames, reference }: Comparison) {
    this.frames = Math.max(1, attempt_frames);
    this.fps = attempt_fps || USUAL_FPS;
    this.sampleFps = reference.fps || USUAL_FPS;
    this.#pairs = frames;
    let last = frames.find(({ sample_frame }) => sample_frame !== null)?.sample_frame ?? 0;
    this.#held = frames.map(({ sample_frame }) => {
      last = sample_frame ?? last;
      return last;
    });
  }

  /** Place of a frame among `frames` and in curves: not every picture of a fast video is looked at. −1: before the first. */
  rowAt(frame: number): number {
    let [low, high] = [0, this.#pairs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pairs[middle]?.attempt_frame ?? 0) <= frame) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  pairAt(frame: number): FramePair | null {
    return this.#pairs[this.rowAt(frame)] ?? null;
  }

  /** Frame of the sample to show beside one of the attempt, whole; where nothing fits, the last that did. */
  sampleAt(frame: number): number {
    return Math.round(this.#heldAt(frame));
  }

  /** Whether something of the sample fits that frame at all. */
  fits(frame: number): boolean {
    return (this.pairAt(frame)?.sample_frame ?? null) !== null;
  }

  /** Position in the sample, seconds, that belongs to one in the attempt: between frames too, but not across a jump. */
  sampleSecondsAt(seconds: number): number {
    const place = Math.max(0, seconds * this.fps - 0.5);
    const frame = Math.floor(place);
    const [from, to] = [this.#heldAt(frame), this.#heldAt(frame + 1)];
    const between = Math.abs(to - from) < this.sampleFps ? (to - from) * (place - frame) : 0;
    return middleOf(from + between, this.sampleFps);
  }

  /** Seconds of the sample that pass in a second of the attempt, about that frame. */
  slope(frame: number): number {
    const around = Math.max(1, Math.round(this.fps / 4));
    const [from, to] = [this.within(frame - around), this.within(frame + around)];
    const passed = (this.#heldAt(to) - this.#heldAt(from)) / this.sampleFps;
    return to === from ? 1 : Math.max(0, passed / ((to - from) / this.fps));
  }

  #heldAt(frame: number): number {
    return this.#held[Math.max(0, this.rowAt(frame))] ?? 0;
  }

  within(frame: number): number {
    return Math.min(this.frames - 1, Math.max(0, Math.round(frame)));
  }

  /** Frame that is on screen at a playback position. */
  frameAt(seconds: number): number {
    return this.within(Math.floor(seconds * this.fps + 1e-3));
  }

  /** The frame that begins at a media time, which is what browsers tell of a frame they show. */
  frameFrom(mediaTime: number): number {
    return this.within(mediaTime * this.fps);
  }
}

/** Where to seek for a frame: its middle, so that no rounding shows a neighbour. */
export function middleOf(frame: number, fps: number): number {
  return (frame + 0.5) / fps;
}

/** The frame of a repetition at which a joint was furthest off, in its worst phase if that is known. */
export function worstFrame(
  { frames, attempt_fps }: Comparison,
  { start_s, end_s, worst_phase }: { start_s: number; end_s: number; worst_phase: string | null },
): number | null {
  const inside = frames.filter(({ attempt_frame }) => {
    const second = attempt_frame / (attempt_fps || USUAL_FPS);
    return second >= start_s && second <= end_s;
  });
  const phased = inside.filter(({ phase }) => phase === worst_phase);
  const severity = (pair: FramePair) => Math.max(0, ...pair.joint_errors.map((error) => error.severity));
  let worst: FramePair | null = null;
  for (const pair of phased.length > 0 ? phased : inside)
    if (worst === null || severity(pair) > severity(worst)) worst = pair;
  return worst?.attempt_frame ?? null;
}
