import { useCallback } from "preact/hooks";
import type uPlot from "uplot";
import type { Report } from "../../api/reports";
import { useText } from "../../i18n";
import { clock } from "../../i18n/format";
import { axis, Chart, type Colours, unchanging } from "../Chart";

const PASSING = 70;

/** The score from the first movement to the last, with a mark for each repetition and each advice. */
export function PerformanceCard({ report }: { report: Report }) {
  const t = useText();
  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      cursor: { show: false },
      legend: { show: false },
      padding: [14, 16, 0, 0],
      scales: {
        x: {
          time: false,
          range: (_plot, _from, to) => [0, Math.max(to ?? 0, (report.end_us - report.start_us) / 1e6)],
        },
        y: { range: [0, 104] },
      },
      axes: [
        axis(colours, {
          size: 24,
          space: 60,
          incrs: [1, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600],
          values: (_plot, splits) => splits.map(clock),
        }),
        axis(colours, { size: 34, splits: () => [0, PASSING, 100] }),
      ],
      series: [
        {},
        {
          stroke: colours.accent,
          width: 2,
          fill: `color-mix(in srgb, ${colours.accent} 12%, transparent)`,
          points: { size: 5, fill: colours.accent, stroke: colours.accent },
        },
      ],
      hooks: { draw: [(plot) => drawMarks(plot, report, colours)] },
    }),
    [report],
  );
  const data = useCallback(
    (): uPlot.AlignedData => [
      report.timeline.map(({ offset_s }) => offset_s),
      report.timeline.map(({ score }) => score),
    ],
    [report],
  );
  return (
    <section class="card performance" aria-labelledby="performance-title">
      <header>
        <h3 id="performance-title">{t("report.timeline")}</h3>
        <ul class="keys" aria-hidden="true">
          <li class="key-repetition">{t("report.key.repetition")}</li>
          <li class="key-cue">{t("report.key.cue")}</li>
        </ul>
      </header>
      <Chart label={t("report.timeline.chart")} options={options} data={data} subscribe={unchanging} />
    </section>
  );
}

function drawMarks(plot: uPlot, report: Report, colours: Colours): void {
  const { ctx, bbox } = plot;
  const unit = devicePixelRatio;
  const at = (offset_s: number) => plot.valToPos(offset_s, "x", true);
  ctx.save();
  ctx.fillStyle = colours.text;
  for (const { end_us } of report.repetitions) {
    ctx.beginPath();
    ctx.arc(
      at((end_us - report.start_us) / 1e6),
      bbox.top + bbox.height - 5 * unit,
      3 * unit,
      0,
      2 * Math.PI,
    );
    ctx.fill();
  }
  for (const { offset_s, praise } of report.cues) {
    const [x, y, r] = [at(offset_s), bbox.top + 2 * unit, 4.5 * unit];
    ctx.fillStyle = praise ? colours["good-mark"] : colours["fair-mark"];
    ctx.beginPath(); // pointing down at its moment
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y - r);
    ctx.lineTo(x, y + r);
    ctx.fill();
  }
  ctx.restore();
}
