import { useCallback, useState } from "preact/hooks";
import type uPlot from "uplot";
import { named, useText } from "../i18n";
import { widestJoints } from "../state/history";
import { ghost } from "../state/preferences";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { axis, Chart, type Colours } from "./Chart";
import { ReferenceFigure } from "./ReferenceFigure";

/** The reference's movement, and one joint's angle through it: the reference, this repetition and the last one. */
export function MovementCard({ model }: { model: SessionModel }) {
  const t = useText();
  const trace = useValue(model.trace);
  const reference = useValue(model.reference);
  const over = useValue(ghost);
  const [picked, setPicked] = useState("");
  const joint =
    trace === null ? null : trace.joints.includes(picked) ? picked : (widestJoints(trace)[0] ?? null);

  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 18, 0, 0],
      scales: {
        x: { time: false },
        y: {
          range: (_plot, from, to) => [
            Math.floor((from ?? 0) / 10) * 10 - 5,
            Math.ceil((to ?? 90) / 10) * 10 + 5,
          ],
        },
      },
      axes: [
        axis(colours, {
          size: 24,
          values: (_plot, splits) => splits.map((share) => `${Math.round(share)}%`),
        }),
        axis(colours, { size: 40, values: (_plot, splits) => splits.map((degrees) => `${degrees}°`) }),
      ],
      series: [
        {},
        { stroke: colours.muted, width: 5, alpha: 0.45, points: { show: false } },
        {
          stroke: colours.accent,
          width: 1.5,
          alpha: 0.5,
          dash: [4, 4],
          spanGaps: true,
          points: { show: false },
        },
        { stroke: colours.accent, width: 2.5, spanGaps: true, points: { show: false } },
      ],
    }),
    [],
  );
  const data = useCallback((): uPlot.AlignedData => {
    if (trace === null || joint === null) return [[], [], [], []];
    const expected = [...trace.expected(joint)];
    const shares = expected.map((_, frame) => (100 * frame) / Math.max(1, expected.length - 1));
    return [shares, expected, trace.previous.get(joint) ?? [], trace.current.get(joint) ?? []];
  }, [trace, joint]);
  const subscribe = useCallback((listener: () => void) => model.score.subscribe(listener), [model]);

  return (
    <section class="card movement" aria-labelledby="movement-title">
      <header>
        <h2 id="movement-title">{t("movement.label")}</h2>
        {trace !== null && joint !== null && (
          <label class="joint-picker">
            <span class="visually-hidden">{t("movement.joint")}</span>
            <select value={joint} onChange={(event) => setPicked(event.currentTarget.value)}>
              {trace.joints.map((each) => (
                <option key={each} value={each}>
                  {named(t, "joint", each)}
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      {trace === null || joint === null || reference === null ? (
        <p class="muted">{t("movement.none")}</p>
      ) : (
        <>
          <div class="movement-body">
            <ReferenceFigure model={model} reference={reference} />
            <Chart
              label={t("movement.chart", { joint: named(t, "joint", joint) })}
              options={options}
              data={data}
              subscribe={subscribe}
            />
          </div>
          <div class="movement-foot">
            <label class="check">
              <input
                type="checkbox"
                checked={over === "on"}
                onChange={() => ghost.set(over === "on" ? "off" : "on")}
              />
              {t("movement.over")}
            </label>
            <ul class="keys" aria-hidden="true">
              <li class="key-reference">{t("movement.reference")}</li>
              <li class="key-now">{t("movement.now")}</li>
              <li class="key-before">{t("movement.before")}</li>
            </ul>
          </div>
        </>
      )}
    </section>
  );
}
