import { describe, expect, test } from "vitest";
import type { Comparison, FramePair } from "../src/api/comparison";
import { Lockstep } from "../src/replay/lockstep";
import { Seeker } from "../src/replay/seeker";
import { middleOf, Track, worstFrame } from "../src/replay/track";

const pair = (attempt_frame: number, sample_frame: number | null, severity = 0): FramePair => ({
  attempt_frame,
  sample_frame,
  phase: sample_frame === null ? null : "out",
  score: null,
  joint_errors: severity > 0 ? [{ joint: "left_knee", degrees: 9, severity }] : [],
  silhouette_overlap: null,
  landmarks: null,
});

const comparison = (frames: FramePair[], attempt_frames: number, attempt_fps = 30): Comparison =>
  ({ reference: { fps: 10 }, attempt_frames, attempt_fps, frames }) as unknown as Comparison;

describe("frames of two videos", () => {
  const track = new Track(comparison([pair(0, null), pair(2, 4.4), pair(4, 5.6), pair(6, null)], 8));

  test("belong together as scoring says; a picture it did not look at goes with the one before", () => {
    expect([0, 2, 3, 4, 5].map((frame) => track.sampleAt(frame))).toEqual([4, 4, 4, 6, 6]);
  });

  test("where nothing fits the last that did stays, and that is told", () => {
    expect(track.sampleAt(7)).toBe(6);
    expect([0, 2, 5, 7].map((frame) => track.fits(frame))).toEqual([false, true, true, false]);
  });

  test("are found by any position within them, and by the time they begin at", () => {
    for (const fps of [5, 24, 29.97, 59.94])
      for (const frame of [0, 1, 7, 100, 1799]) {
        const long = new Track(comparison([], 1800, fps));
        expect(long.frameAt(middleOf(frame, fps))).toBe(frame);
        expect(long.frameAt(frame / fps)).toBe(frame);
        expect(long.frameFrom(Number((frame / fps).toFixed(6)))).toBe(frame);
      }
  });

  test("positions between frames belong together too, but nothing lies between two repetitions", () => {
    const even = new Track(comparison([pair(0, 0), pair(1, 1), pair(2, 2), pair(3, 30)], 4));
    expect(even.sampleSecondsAt(middleOf(1, 30))).toBeCloseTo(middleOf(1, 10));
    expect(even.sampleSecondsAt(middleOf(1.5, 30))).toBeCloseTo(middleOf(1.5, 10));
    expect(even.sampleSecondsAt(middleOf(2.5, 30))).toBeCloseTo(middleOf(2, 10));
  });

  test("the sample runs as fast as the movements are laid onto each other", () => {
    const even = new Track(
      comparison(
        Array.from({ length: 90 }, (_, i) => pair(i, i / 3)),
        90,
      ),
    );
    expect(even.slope(45)).toBeCloseTo(1, 1); // 10 frames a second beside 30: the same second
    const still = new Track(
      comparison(
        Array.from({ length: 90 }, (_, i) => pair(i, 20)),
        90,
      ),
    );
    expect(still.slope(45)).toBe(0);
  });
});

test("a repetition's worst moment is where a joint was furthest off, in its worst phase", () => {
  const frames = [pair(0, 1, 9), pair(30, 2, 1.2), pair(40, 3, 1.9), pair(50, null, 5), pair(90, 4, 9)];
  const within = { start_s: 0.5, end_s: 2, worst_phase: "out" };
  expect(worstFrame(comparison(frames, 100), within)).toBe(40);
  expect(worstFrame(comparison(frames, 100), { ...within, worst_phase: "turn" })).toBe(50);
  expect(worstFrame(comparison([], 100), within)).toBeNull();
});

/** A video that takes its time to seek. */
class SlowVideo extends EventTarget {
  readyState = 1;
  seeking = false;
  playbackRate = 1;
  readonly sought: number[] = [];
  #at = 0;

  get currentTime(): number {
    return this.#at;
  }

  set currentTime(seconds: number) {
    this.#at = seconds;
    this.sought.push(seconds);
    this.seeking = true;
  }

  arrive(): void {
    this.seeking = false;
    this.dispatchEvent(new Event("seeked"));
  }

  pause(): void {}
  requestVideoFrameCallback = () => 1;
  cancelVideoFrameCallback = () => undefined;
}

const slow = () => {
  const video = new SlowVideo();
  return { video, element: video as unknown as HTMLVideoElement };
};

test("a video asked for ten frames while it seeks goes on to the last one only", () => {
  const { video, element } = slow();
  const seeker = new Seeker(element);
  for (let i = 1; i <= 10; i++) seeker.to(i);
  expect(video.sought).toEqual([1]);
  expect(seeker.busy).toBe(true);
  video.arrive();
  video.arrive();
  expect(video.sought).toEqual([1, 10]);
  expect(seeker.busy).toBe(false);
});

test("standing still, each video is in the middle of its frame", () => {
  const frames = Array.from({ length: 30 }, (_, i) => pair(i, i / 2));
  const lockstep = new Lockstep(new Track(comparison(frames, 30)));
  const [attempt, sample] = [slow(), slow()];
  lockstep.lead(attempt.element);
  const stop = lockstep.follow(sample.element);
  attempt.video.arrive();
  sample.video.arrive();
  lockstep.step(8);
  expect(attempt.video.currentTime).toBeCloseTo(8.5 / 30);
  expect(sample.video.currentTime).toBeCloseTo(4.5 / 10);
  lockstep.step(100);
  expect(lockstep.frame.get()).toBe(29);
  stop();
  attempt.video.arrive();
  attempt.video.arrive();
  lockstep.seek(-5);
  expect(attempt.video.currentTime).toBeCloseTo(0.5 / 30);
});
