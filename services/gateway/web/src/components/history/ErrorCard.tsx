import type { TopError } from "../../api/reports";
import { named, useText } from "../../i18n";
import { signed } from "../../i18n/format";
import { TELLING_DEGREES } from "../ScoreCard";

const SHOWN = 6;
/** Severity at which a bar is full: twice the tolerance. */
const FULL = 2;

/** The errors that came up most, worst first. */
export function ErrorCard({ errors }: { errors: readonly TopError[] }) {
  const t = useText();
  return (
    <section class="card" aria-labelledby="errors-title">
      <header>
        <h3 id="errors-title">{t("report.errors")}</h3>
      </header>
      {errors.length === 0 ? (
        <p class="muted">{t("report.errors.none")}</p>
      ) : (
        <ol class="errors">
          {errors.slice(0, SHOWN).map(({ joint, phase, degrees, severity, repetitions }) => (
            <li
              key={`${joint} ${phase} ${degrees}`}
              class={(severity ?? 0) > 1.4 ? "grade-poor" : "grade-fair"}
            >
              <b>{named(t, "joint", joint)}</b>
              <span class="muted">
                {phase !== null && t(`phase.${phase}`)}
                {degrees !== null && Math.abs(degrees) >= TELLING_DEGREES && ` · ${signed(degrees)}°`}
              </span>
              <span class="muted">
                {t(repetitions === 1 ? "report.errors.once" : "report.errors.times", { n: repetitions })}
              </span>
              <span class="part-bar" aria-hidden="true">
                <span style={{ transform: `scaleX(${Math.min(1, (severity ?? 0) / FULL)})` }} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
