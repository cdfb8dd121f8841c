import { describe, expect, test } from "vitest";
import type { Cue } from "../src/api/documents";
import { sameWords, saying } from "../src/state/cue";

const cue: Cue = {
  code: "squat.depth",
  text_ko: "더 깊이 앉으세요.",
  text_en: "Sit deeper.",
  praise: false,
  joints: [],
  repetition: 3,
  tip_ko: "",
  tip_en: "",
  phrased: false,
};

describe("advice", () => {
  test("in a language model's words takes the template's place on the page, but is not read aloud again", () => {
    const worded = { ...cue, text_en: "Try to sit a little deeper.", phrased: true };
    expect(sameWords(cue, worded)).toBe(false);
    expect(saying(worded)).toBe(saying(cue));
  });

  test("that comes with every score is one piece of advice", () => {
    expect(sameWords(cue, { ...cue })).toBe(true);
    expect(sameWords(null, null)).toBe(true);
  });

  test("of another repetition, or praise for what was mended, is said anew", () => {
    expect(saying({ ...cue, repetition: 4 })).not.toBe(saying(cue));
    expect(saying({ ...cue, praise: true })).not.toBe(saying(cue));
    expect(saying(null)).toBeNull();
  });
});
