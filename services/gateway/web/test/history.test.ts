import { describe, expect, test } from "vitest";
import type { Reference } from "../src/api/documents";
import type { Score } from "../src/api/messages";
import { ScoreHistory, Trace, widestJoints } from "../src/state/history";
import { spansOf } from "../src/state/latency";

const reference = {
  fps: 5, // a slow video: its template still has 30 frames a second
  template_first_frame: 10,
  template_frames: 31,
  curves: [
    { name: "left_knee", degrees: Array.from({ length: 31 }, (_, i) => 180 - 3 * i) },
    { name: "trunk_lean", degrees: Array.from({ length: 31 }, () => 5) },
  ],
} as unknown as Reference;

const score = (frame: number | null, degrees = 0): Score =>
  ({
    reference_frame: frame,
    joint_errors: [{ joint: "left_knee", degrees, severity: 1 }],
  }) as unknown as Score;

describe("joint angles against the reference", () => {
  test("count frames of the template, not of the video", () => {
    const trace = new Trace(reference);
    expect(trace.position(score(10))).toBe(0);
    expect(trace.position(score(12.5))).toBe(15);
    expect(trace.position(score(15))).toBe(30);
    expect(trace.position(score(9))).toBeNull();
    expect(trace.position(score(null))).toBeNull();
  });

  test("are the reference's plus how far off the person is, without holes at five frames a second", () => {
    const trace = new Trace(reference);
    for (const frame of [10, 11, 12]) trace.add(score(frame, -7));
    const line = trace.current.get("left_knee") ?? [];
    expect(line.slice(0, 13)).toEqual(Array.from({ length: 13 }, (_, i) => 180 - 3 * i - 7));
    expect(line[13]).toBeNull();
  });

  test("move over to the last repetition when one is complete", () => {
    const trace = new Trace(reference);
    trace.add(score(10, 4));
    trace.turnOver();
    expect(trace.previous.get("left_knee")?.[0]).toBe(184);
    expect(trace.current.get("left_knee")?.every((value) => value === null)).toBe(true);
  });

  test("name the joint that moves most first", () => {
    expect(widestJoints(new Trace(reference))).toEqual(["left_knee", "trunk"]);
  });
});

describe("the score's history", () => {
  const at = (second: number, value: number | null) => ({ server_us: second * 1e6, score: value }) as Score;

  test("is thinned to what a chart shows, and breaks where nothing came", () => {
    const history = new ScoreHistory();
    for (let i = 0; i < 30; i++) history.add(at(100 + i / 30, 80));
    expect(history.seconds.length).toBe(5);
    history.add(at(110, 90));
    expect(history.scores.slice(-2)).toEqual([null, 90]);
  });

  test("is bounded", () => {
    const history = new ScoreHistory();
    for (let i = 0; i < 5000; i++) history.add(at(1 + i, 50));
    expect(history.seconds.length).toBeLessThanOrEqual(1500);
    expect(history.scores.length).toBe(history.seconds.length);
  });
});

describe("the spans of a frame's time", () => {
  test("add up to the whole, whatever stages are left out", () => {
    const stages = { sent: 2, received: 5, inferred: 25, synced: 40, scored: 42, pushed: 43 };
    const spans = spansOf(stages);
    expect(spans.reduce((sum, { ms }) => sum + ms, 0)).toBe(43);
    expect(spans.find(({ name }) => name === "detect")?.ms).toBe(20);
    expect(spans.some(({ name }) => name === "queue")).toBe(false);
  });

  test("are never negative, even where a stage's clock is off", () => {
    expect(spansOf({ sent: 3, received: 2, inferred: 9 }).every(({ ms }) => ms >= 0)).toBe(true);
  });
});
