import { useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { grade } from "./ScoreCard";

const SHOWN = 10;

export function RepetitionsCard({ model }: { model: SessionModel }) {
  const t = useText();
  const all = useValue(model.repetitions);
  const count = Math.max(useValue(model.score)?.repetitions ?? 0, all.at(-1)?.number ?? 0);
  const target = useValue(model.status)?.session.target_repetitions ?? null;
  const last = all.slice(-SHOWN);
  const scores = all.map(({ score }) => score).filter((score) => score !== null);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return (
    <section class="card repetitions" aria-labelledby="repetitions-title">
      <header>
        <h2 id="repetitions-title">{t("repetitions.label")}</h2>
        {scores.length > 0 && (
          <dl class="figures">
            <div>
              <dt>{t("repetitions.mean")}</dt>
              <dd>{Math.round(mean)}</dd>
            </div>
            <div>
              <dt>{t("repetitions.best")}</dt>
              <dd>{Math.round(Math.max(...scores))}</dd>
            </div>
          </dl>
        )}
      </header>
      <div class="repetitions-body">
        <span key={count} class="count">
          {count}
          {target !== null && <small>{t("repetitions.target", { n: target })}</small>}
        </span>
        {last.length === 0 ? (
          <p class="muted">{t("repetitions.none")}</p>
        ) : (
          <ol class="bars" aria-label={t("repetitions.last")}>
            {last.map(({ number, score }) => (
              <li
                key={number}
                class={`grade-${grade(score)}`}
                aria-label={t("repetitions.bar", {
                  n: number,
                  score: score === null ? t("repetitions.unscored") : Math.round(score),
                })}
              >
                <span aria-hidden="true">{score === null ? "" : Math.round(score)}</span>
                <i aria-hidden="true" style={{ height: `${Math.max(4, (score ?? 0) * 0.64)}px` }} />
              </li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}
