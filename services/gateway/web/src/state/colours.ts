// When what is drawn on a canvas must be drawn anew, since it takes its colours from the page's once.

import { paper, theme } from "./preferences";

const scheme = matchMedia("(prefers-color-scheme: dark)");

/** Hears of other colours: chosen here, the system's, or paper's, for which there is time within the call only. */
export function onColours(listener: () => void): () => void {
  const stops = [theme.subscribe(listener), paper.subscribe(listener)];
  scheme.addEventListener("change", listener);
  return () => {
    for (const stop of stops) stop();
    scheme.removeEventListener("change", listener);
  };
}
