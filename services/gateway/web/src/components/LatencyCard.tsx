import { useText } from "../i18n";
import { spansOf } from "../state/latency";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";

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
