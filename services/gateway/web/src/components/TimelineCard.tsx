import { useCallback } from "preact/hooks";
import type uPlot from "uplot";
import { useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { axis, Chart, type Colours } from "./Chart";

const WINDOW_S = 120;
const PASSING = 70;

/** The score over the last two minutes, with a mark where each repetition ended. */
export function TimelineCard({ model }: { model: SessionModel }) {
  const t = useText();
  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 6, 0, 0],
      scales: {
        x: {
          time: false,
          range: (_plot, _from, to) => {
            const last = Number.isFinite(to) && to !== null ? to : WINDOW_S;
            return [last - WINDOW_S, last];
          },
        },
        y: { range: [0, 100] },
      },
      axes: [
        axis(colours, {
          size: 24,
          splits: (plot) => {
            const last = plot.scales.x?.max ?? 0;
            return [90, 60, 30, 0].map((before) => last - before);
          },
          values: (plot, splits) =>
            splits.map((second) => {
              const before = Math.round((plot.scales.x?.max ?? 0) - second);
              return before === 0 ? t("timeline.now") : `−${t("seconds", { s: before })}`;
            }),
          align: 2,
        }),
        axis(colours, { size: 30, splits: () => [0, PASSING, 100] }),
      ],
      series: [
        {},
        {
          stroke: colours.accent,
          width: 2,
          fill: `color-mix(in srgb, ${colours.accent} 12%, transparent)`,
          points: { show: false },
        },
      ],
      hooks: {
        draw: [
          (plot) => {
            const { ctx, bbox } = plot;
            ctx.save();
            ctx.fillStyle = colours.text;
            for (const { end_us } of model.repetitions.get()) {
              const x = plot.valToPos(end_us / 1e6, "x", true);
              if (x < bbox.left) continue;
              ctx.beginPath();
              ctx.arc(
                x,
                bbox.top + bbox.height - 4 * devicePixelRatio,
                2.5 * devicePixelRatio,
                0,
                2 * Math.PI,
              );
              ctx.fill();
            }
            ctx.restore();
          },
        ],
      },
    }),
    [model, t],
  );
  const data = useCallback((): uPlot.AlignedData => [model.history.seconds, model.history.scores], [model]);
  const subscribe = useCallback((listener: () => void) => model.score.subscribe(listener), [model]);
  return (
    <section class="card timeline" aria-labelledby="timeline-title">
      <header>
        <h2 id="timeline-title">{t("timeline.label")}</h2>
        <span class="muted">{t("timeline.body")}</span>
      </header>
      <Chart label={t("timeline.chart")} options={options} data={data} subscribe={subscribe} />
    </section>
  );
}
