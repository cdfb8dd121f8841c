// How far a joint is off, as a colour. Severity is in tolerances: 1 is the edge of what passes.

/** Fine, at the edge, wrong: told apart by lightness too, for those who do not see the hue. */
const STOPS = [
  { at: 0.5, rgb: [94, 234, 176] },
  { at: 1.0, rgb: [255, 205, 74] },
  { at: 1.7, rgb: [255, 77, 90] },
] as const;

/** Colour of a joint nobody judges. */
export const NEUTRAL = "rgb(226 232 244)";

const STEPS = 24;
const HIGHEST = 1.7;
const table = Array.from({ length: STEPS + 1 }, (_, step) => mix((step / STEPS) * HIGHEST));

function mix(severity: number): string {
  const next = STOPS.findIndex(({ at }) => severity <= at);
  const high = STOPS[next] ?? STOPS[STOPS.length - 1];
  const low = STOPS[Math.max(0, next - 1)] ?? STOPS[0];
  if (high === undefined || low === high) return `rgb(${(high ?? low).rgb.join(" ")})`;
  const share = (severity - low.at) / (high.at - low.at);
  return `rgb(${low.rgb.map((from, i) => Math.round(from + share * ((high.rgb[i] ?? 0) - from))).join(" ")})`;
}

export function severityColour(severity: number | undefined): string {
  if (severity === undefined) return NEUTRAL;
  const step = Math.round((Math.min(HIGHEST, Math.max(0, severity)) / HIGHEST) * STEPS);
  return table[step] ?? NEUTRAL;
}
