// Times and numbers as people read them.

import type { Language, Translate } from ".";

const LOCALE: Record<Language, string> = { ko: "ko-KR", en: "en-GB" };

/** A moment on the server clock, in this browser's time zone: day and time. */
export function moment(us: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "medium", timeStyle: "short" }).format(
    us / 1000,
  );
}

/** Its day alone. */
export function date(us: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "medium" }).format(us / 1000);
}

/** `2026-11-22 19.34`, in this browser's time zone: for the names of files. */
export function stamp(us: number): string {
  const local = new Date(us / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [local.getFullYear(), two(local.getMonth() + 1), two(local.getDate())].join("-");
  return `${day} ${two(local.getHours())}.${two(local.getMinutes())}`;
}

/** The day alone, short: for axes. */
export function day(us: number, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { month: "numeric", day: "numeric" }).format(us / 1000);
}

/** `1 min 5 s`; whole seconds. */
export function duration(seconds: number, t: Translate): string {
  const whole = Math.round(seconds);
  return whole < 60 ? t("seconds", { s: whole }) : t("minutes", { m: Math.floor(whole / 60), s: whole % 60 });
}

/** `1:05`: where in a recording something is. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** With its sign, a true minus; zero has none. */
export function signed(value: number, digits = 0): string {
  const shown = Math.abs(value).toFixed(digits);
  if (Number(shown) === 0) return shown;
  return `${value > 0 ? "+" : "−"}${shown}`;
}

/** A share as a whole percentage. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
