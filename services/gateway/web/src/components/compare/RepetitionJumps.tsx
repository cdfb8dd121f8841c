import type { Comparison } from "../../api/comparison";
import { useText } from "../../i18n";
import type { Lockstep } from "../../replay/lockstep";
import { worstFrame } from "../../replay/track";
import { grade } from "../ScoreCard";

/** The repetitions of the attempt: to the start of one, or to its worst moment. */
export function RepetitionJumps({ lockstep, comparison }: { lockstep: Lockstep; comparison: Comparison }) {
  const t = useText();
  const { repetitions } = comparison;
  return (
    <section class="card" aria-labelledby="jumps-title">
      <header>
        <h3 id="jumps-title">{t("compare.repetitions")}</h3>
      </header>
      {repetitions.length === 0 ? (
        <p class="muted">{t("compare.repetitions.none")}</p>
      ) : (
        <ol class="jumps">
          {repetitions.map((done) => {
            const worst = worstFrame(comparison, done);
            return (
              <li key={done.number}>
                <b class={`graded grade-${grade(done.score)}`}>
                  {done.score === null ? "–" : Math.round(done.score)}
                </b>
                <button
                  type="button"
                  class="button"
                  onClick={() => lockstep.seek(lockstep.track.frameAt(done.start_s))}
                >
                  {t("compare.jump", { n: done.number })}
                </button>
                {worst !== null && (
                  <button type="button" class="button" onClick={() => lockstep.seek(worst)}>
                    <span aria-hidden="true">
                      {t("compare.worst")}
                      {done.worst_phase !== null && (
                        <small class="muted">{t(`phase.${done.worst_phase}`)}</small>
                      )}
                    </span>
                    <span class="visually-hidden">{t("compare.worst.of", { n: done.number })}</span>
                  </button>
                )}
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
