// Reads advice aloud, one sentence at a time, in the page's language.

import { useEffect, useRef } from "preact/hooks";
import type { Cue, Notice } from "../api/documents";
import { saying } from "./cue";
import { language, voice } from "./preferences";
import { useValue } from "./value";

export const canSpeak = "speechSynthesis" in window;

function say(text: string, tag: string): void {
  const sentence = new SpeechSynthesisUtterance(text);
  sentence.lang = tag;
  const voices = speechSynthesis
    .getVoices()
    .filter(({ lang }) => lang.replace("_", "-").startsWith(tag.slice(0, 2)));
  const local = voices.find(({ localService }) => localService); // nothing leaves the machine where it can be helped
  if (local !== undefined) sentence.voice = local;
  speechSynthesis.cancel(); // newest advice wins: an old one would come too late to be of use
  speechSynthesis.speak(sentence);
}

/** Speaks each piece of advice, or notice, once as it comes, while the person wants to hear it. */
export function useSpokenAdvice(cue: Cue | Notice | null): void {
  const wanted = useValue(voice) === "on";
  const chosen = useValue(language);
  const said = useRef<string | null>(null);
  useEffect(() => {
    if (!canSpeak || saying(cue) === said.current) return;
    said.current = saying(cue);
    if (cue !== null && wanted)
      say(chosen === "ko" ? cue.text_ko : cue.text_en, chosen === "ko" ? "ko-KR" : "en-US");
  }, [cue, wanted, chosen]);
  useEffect(() => {
    if (canSpeak && !wanted) speechSynthesis.cancel();
  }, [wanted]);
}
