import { useCallback, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Performed, Repetition } from "../../api/documents";
import { useText } from "../../i18n";
import { axis, Chart, type Colours, unchanging } from "../Chart";
import { PARTS } from "../ScoreCard";
import { RepetitionTable } from "./RepetitionTable";

const LINES = [...PARTS, "motion"] as const;
type Line = (typeof LINES)[number];

const lineValue = (line: Line, done: Performed) =>
  line === "motion"
    ? done.range_of_motion === null
      ? null
      : 100 * done.range_of_motion
    : done.sub_scores[line];

/** Repetition by repetition: score and one further line as a chart, everything as a table. */
export function RepetitionCard({ repetitions }: { repetitions: readonly Repetition[] }) {
  const t = useText();
  const [line, setLine] = useState<Line>("range");
  const name = (each: Line) => t(each === "motion" ? "report.motion" : `sub.${each}`);

  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 16, 0, 0],
      scales: {
        x: { time: false, range: (_plot, from, to) => [(from ?? 1) - 0.5, (to ?? 1) + 0.5] },
        y: { range: (_plot, _from, to) => [0, Math.max(104, (to ?? 100) + 4)] },
      },
      axes: [
        axis(colours, { size: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200], space: 28 }),
        axis(colours, { size: 34, incrs: [25, 50] }),
      ],
      series: [
        {},
        {
          stroke: colours.accent,
          width: 2.5,
          points: { show: true, size: 7, fill: colours.accent, stroke: colours.accent },
        },
        {
          stroke: colours["fair-mark"],
          width: 1.5,
          dash: [5, 4],
          points: { show: true, size: 5, fill: colours["fair-mark"], stroke: colours["fair-mark"] },
        },
      ],
    }),
    [],
  );
  const data = useCallback(
    (): uPlot.AlignedData => [
      repetitions.map(({ number }) => number),
      repetitions.map(({ score }) => score),
      repetitions.map((done) => lineValue(line, done)),
    ],
    [repetitions, line],
  );

  return (
    <section class="card each" aria-labelledby="each-title">
      <header>
        <h3 id="each-title">{t("report.repetitions")}</h3>
        {repetitions.length > 0 && (
          <div class="each-line">
            <ul class="keys" aria-hidden="true">
              <li>{t("report.score")}</li>
              <li class="key-other">{name(line)}</li>
            </ul>
            <label class="joint-picker">
              <span class="visually-hidden">{t("report.line")}</span>
              <select value={line} onChange={(event) => setLine(event.currentTarget.value as Line)}>
                {LINES.map((each) => (
                  <option key={each} value={each}>
                    {name(each)}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
      </header>
      {repetitions.length === 0 ? (
        <p class="muted">{t("report.repetitions.none")}</p>
      ) : (
        <>
          <Chart
            label={t("report.repetitions.chart", { part: name(line) })}
            options={options}
            data={data}
            subscribe={unchanging}
          />
          <RepetitionTable repetitions={repetitions} />
        </>
      )}
    </section>
  );
}
