import { expect, test } from "vitest";
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
