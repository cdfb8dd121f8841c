import type { ComponentChildren } from "preact";
import type { Report } from "../../api/reports";
import { useText } from "../../i18n";
import { duration, percent, signed } from "../../i18n/format";
import { Dial, SubScoreList } from "../ScoreCard";

/** From here on tiredness is told in words. */
const SOME_FATIGUE = 0.1;
const MUCH_FATIGUE = 0.25;

/** The mean score, what it is made of, and where it went over the performance. */
export function EffortCard({ report }: { report: Report }) {
  const t = useText();
  const { best_score, trend, fatigue } = report;
  return (
    <section class="card effort" aria-labelledby="effort-title">
      <header>
        <h3 id="effort-title">{t("report.mean")}</h3>
      </header>
      <div class="score-body">
        <Dial score={report.mean_score} />
        <SubScoreList parts={report.sub_scores} />
      </div>
      <dl class="facts">
        <Fact name={t("report.count")}>{report.repetition_count}</Fact>
        <Fact name={t("report.best")}>{best_score === null ? "–" : Math.round(best_score)}</Fact>
        <Fact name={t("report.active")}>{duration(report.active_s, t)}</Fact>
        <Fact name={t("report.duration")}>{duration((report.end_us - report.start_us) / 1e6, t)}</Fact>
        <Fact
          name={t("report.trend")}
          note={trend === null ? t("report.trend.none") : t("report.trend.unit")}
        >
          {trend === null ? "–" : signed(trend, 1)}
        </Fact>
        <Fact
          name={t("report.fatigue")}
          note={
            fatigue === null
              ? t("report.fatigue.none")
              : t(
                  fatigue < SOME_FATIGUE
                    ? "report.fatigue.little"
                    : fatigue < MUCH_FATIGUE
                      ? "report.fatigue.some"
                      : "report.fatigue.much",
                )
          }
          title={t("report.fatigue.body")}
        >
          {fatigue === null ? "–" : percent(fatigue)}
        </Fact>
      </dl>
    </section>
  );
}

interface FactProps {
  name: string;
  note?: string;
  title?: string;
  children: ComponentChildren;
}

function Fact({ name, note, title, children }: FactProps) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>
        <b>{children}</b>
        {note !== undefined && <small class="muted">{note}</small>}
      </dd>
    </div>
  );
}
