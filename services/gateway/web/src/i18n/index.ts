// Every text of the page, in Korean and English. The compiler refuses a language that lacks one.

import { language } from "../state/preferences";
import { useValue } from "../state/value";
import { en, type Text } from "./en";
import { ko } from "./ko";

export type Language = "ko" | "en";
export type { Text };

const texts: Record<Language, Record<Text, string>> = { ko, en };

export type Translate = (text: Text, values?: Record<string, string | number>) => string;

const translators: Record<Language, Translate> = { ko: translator("ko"), en: translator("en") };

function translator(chosen: Language): Translate {
  return (text, values = {}) =>
    texts[chosen][text].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** `t("camera.fps", {fps: 15})` in the chosen language; the component renders anew when that changes. */
export function useText(): Translate {
  return translators[useValue(language)];
}

/** A text whose key is made up of what a server said: what the page has no words for is shown as it came. */
export function named(t: Translate, family: string, name: string): string {
  const key = `${family}.${name}`;
  return key in en ? t(key as Text) : name.replaceAll("_", " ");
}

/** What a code (`exercise.part.direction.phase`) says goes wrong; the name of it in this exercise before that in any. */
export function faultName(t: Translate, code: string): string {
  const [exercise, part = code, direction = ""] = code.split(".");
  const own = `fault.${exercise}.${part}.${direction}`;
  return own in en ? t(own as Text) : named(t, "fault", `${part}.${direction}`);
}
