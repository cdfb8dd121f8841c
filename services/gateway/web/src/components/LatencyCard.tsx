import type { Stages } from "../api/messages";
import { useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";

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

export function LatencyCard({ model }: { model: SessionModel }) {
  const t = useText();
  const stages = useValue(model.stages);
  const spans = stages === null ? [] : spansOf(stages);
  const total = spans.reduce((sum, { ms }) => sum + ms, 0);
  return (
    <section class="card latency" aria-labelledby="latency-title">
      <header>
        <h2 id="latency-title">{t("latency.label")}</h2>
        {total > 0 && <strong class="latency-total">{t("ms", { ms: Math.round(total) })}</strong>}
      </header>
      {total === 0 ? (
        <p class="muted">{t("latency.none")}</p>
      ) : (
        <>
          <p class="muted">{t("latency.body")}</p>
          <div class="spans" aria-hidden="true">
            {spans.map(({ name, ms }) => (
              <span key={name} class={`span-${name}`} style={{ flexGrow: String(Math.max(0.001, ms)) }} />
            ))}
          </div>
          <dl class="span-list">
            {spans.map(({ name, ms }) => (
              <div key={name}>
                <dt>
                  <i class={`span-${name}`} aria-hidden="true" />
                  {t(`span.${name}`)}
                </dt>
                <dd>{t("ms", { ms: ms < 9.95 ? ms.toFixed(1) : Math.round(ms) })}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}
