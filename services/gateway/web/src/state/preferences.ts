// What a person chose about the page itself, remembered in this browser.

import type { Language } from "../i18n";
import { Value } from "./value";

export type Theme = "system" | "light" | "dark";

/** One of `choices`, or any text where they are null. */
function remembered<T extends string>(key: string, choices: readonly T[] | null, fallback: T): Value<T> {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(`komi.${key}`);
  } catch {
    // Storage can be forbidden: then nothing is remembered.
  }
  const fits = stored !== null && (choices === null || choices.some((choice) => choice === stored));
  const value = new Value<T>(fits ? (stored as T) : fallback);
  value.subscribe(() => {
    try {
      localStorage.setItem(`komi.${key}`, value.get());
    } catch {
      // As above.
    }
  });
  return value;
}

const browserLanguage: Language = navigator.languages.some((tag) => tag.startsWith("ko")) ? "ko" : "en";

export const language = remembered<Language>("language", ["ko", "en"], browserLanguage);
export const theme = remembered<Theme>("theme", ["system", "light", "dark"], "system");

/** While the page is printed: light then, whatever was chosen. */
export const paper = new Value(false);

/** Whether the reference's figure lies over the cameras. */
export const ghost = remembered<"on" | "off">("ghost", ["on", "off"], "off");
/** Whether the skeleton lies over the attempt of a comparison. */
export const skeleton = remembered<"on" | "off">("skeleton", ["on", "off"], "on");
/** Whether advice is read aloud. */
export const voice = remembered<"on" | "off">("voice", ["on", "off"], "off");

/** What this device is called as a camera. Empty: a name in the page's language. */
export const cameraName = remembered<string>("camera.name", null, "");
/** Which of its cameras: `user`, `environment` or a device's id. */
export const cameraChoice = remembered<string>("camera.choice", null, "user");

/** Keeps the document's language and colours as chosen. */
export function applyPreferences(): void {
  const apply = () => {
    document.documentElement.lang = language.get();
    const shown = paper.get() ? "light" : theme.get();
    if (shown === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = shown;
  };
  for (const value of [language, theme, paper]) value.subscribe(apply);
  addEventListener("beforeprint", () => paper.set(true));
  addEventListener("afterprint", () => paper.set(false));
  apply();
}
