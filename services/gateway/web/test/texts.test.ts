import { expect, test } from "vitest";
import cues from "../../../scoring/advice/cues.json";
import { en } from "../src/i18n/en";
import { ko } from "../src/i18n/ko";

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("every text has the same places to fill in both languages, and says something in each", () => {
  for (const [key, text] of Object.entries(en)) {
    const korean = ko[key as keyof typeof en];
    expect(places(korean), key).toEqual(places(text));
    expect(korean.trim(), key).not.toBe("");
  }
});

test("every fault that scoring finds has a name: sagging hips were called hips.sag", () => {
  const name = (code: string) => `fault.${code.split(".").slice(1, 3).join(".")}`;
  expect(Object.keys(cues).filter((code) => !(name(code) in en))).toEqual([]);
});
