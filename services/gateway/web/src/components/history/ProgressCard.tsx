import { useCallback } from "preact/hooks";
import type uPlot from "uplot";
import type { ShortReport } from "../../api/reports";
import { useText } from "../../i18n";
import { day } from "../../i18n/format";
import { language } from "../../state/preferences";
import { useValue } from "../../state/value";
import { axis, Chart, type Colours, unchanging } from "../Chart";

const PASSING = 70;
const FEWEST = 3;

/** How the mean score went from one performance to the next; nothing while there are too few to tell. */
export function ProgressCard({ reports }: { reports: readonly ShortReport[] }) {
  const t = useText();
  const chosen = useValue(language);
  const scored = reports.filter(({ mean_score }) => mean_score !== null).reverse();
  const key = scored.map(({ report_id }) => report_id).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the reports are told apart by their ids
  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 20, 0, 0],
      scales: { x: { time: false, range: [0.5, scored.length + 0.5] }, y: { range: [0, 104] } },
      axes: [
        axis(colours, {
          size: 24,
          space: 64,
          incrs: [1, 2, 5, 10, 25, 50, 100],
          values: (_plot, splits) => splits.map((at) => label(scored[at - 1], chosen)),
        }),
        axis(colours, { size: 34, splits: () => [0, PASSING, 100] }),
      ],
      series: [
        {},
        {
          stroke: colours.accent,
          width: 2,
          fill: `color-mix(in srgb, ${colours.accent} 12%, transparent)`,
          points: { show: true, size: 7, fill: colours.accent, stroke: colours.accent },
        },
      ],
    }),
    [key, chosen],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const data = useCallback(
    (): uPlot.AlignedData => [scored.map((_, at) => at + 1), scored.map(({ mean_score }) => mean_score)],
    [key],
  );
  if (scored.length < FEWEST) return null;
  return (
    <section class="card progress-card" aria-labelledby="progress-title">
      <header>
        <h3 id="progress-title">{t("history.progress")}</h3>
      </header>
      <Chart label={t("history.progress.chart")} options={options} data={data} subscribe={unchanging} />
    </section>
  );
}

function label(report: ShortReport | undefined, chosen: "ko" | "en"): string {
  return report === undefined ? "" : day(report.start_us, chosen);
}
