// Where a frame's time went, from the stages it passed.

import type { Stages } from "../api/messages";

/** The spans a frame's time is told in, and the stage each ends with; in the order a frame passes them. */
const SPANS = [
  ["capture", ["encoded"]],
  ["network", ["sent", "received"]],
  ["queue", ["dequeued"]],
  ["decode", ["decoded"]],
  ["detect", ["inferred"]],
  ["publish", ["published", "ingested"]],
  ["sync", ["synced"]],
  ["score", ["scored"]],
  ["push", ["pushed"]],
] as const;

export type Span = { name: (typeof SPANS)[number][0]; ms: number };

/** Differences of the stages that are known: a stage that cannot be compared adds to the span after it. */
export function spansOf(stages: Stages): Span[] {
  const spans: Span[] = [];
  let reached = 0;
  for (const [name, ends] of SPANS) {
    const known = ends.map((end) => stages[end]).filter((ms) => ms !== undefined);
    if (known.length === 0) continue;
    const end = Math.max(reached, ...known);
    spans.push({ name, ms: end - reached });
    reached = end;
  }
  return spans;
}
