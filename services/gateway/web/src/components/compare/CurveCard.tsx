import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { ComparedCurve, Comparison } from "../../api/comparison";
import { named, useText } from "../../i18n";
import { clock } from "../../i18n/format";
import type { Lockstep } from "../../replay/lockstep";
import { axis, Chart, type Colours, unchanging } from "../Chart";

interface Props {
  lockstep: Lockstep;
  comparison: Comparison;
}

/** One joint's angle through the attempt, with the sample's at the same moments; a line goes along, a click goes there. */
export function CurveCard({ lockstep, comparison }: Props) {
  const t = useText();
  const { track } = lockstep;
  const curves = comparison.curves.filter(moves);
  const [picked, setPicked] = useState("");
  const curve = curves.find(({ name }) => name === picked) ?? widest(curves);
  const plot = useRef<uPlot | null>(null);

  const mark = useCallback(() => {
    const chart = plot.current;
    if (chart === null) return;
    chart.setCursor({ left: chart.valToPos(lockstep.frame.get() / track.fps, "x"), top: 0 }, false);
  }, [lockstep, track]);
  useEffect(() => lockstep.frame.subscribe(mark), [lockstep, mark]);

  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => ({
      legend: { show: false },
      padding: [10, 16, 0, 0],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: false, y: false },
        bind: { mousemove: nothing, mouseleave: nothing, mouseenter: nothing, dblclick: nothing },
      },
      scales: {
        x: { time: false, range: [0, (track.frames - 1) / track.fps] },
        y: {
          range: (_chart, from, to) => [
            Math.floor((from ?? 0) / 10) * 10 - 5,
            Math.ceil((to ?? 90) / 10) * 10 + 5,
          ],
        },
      },
      axes: [
        axis(colours, {
          size: 24,
          space: 60,
          incrs: [1, 2, 5, 10, 15, 30, 60],
          values: (_chart, splits) => splits.map(clock),
        }),
        axis(colours, { size: 44, values: (_chart, splits) => splits.map((degrees) => `${degrees}°`) }),
      ],
      series: [
        {},
        { stroke: colours.muted, width: 5, alpha: 0.45, points: { show: false } },
        { stroke: colours.accent, width: 2.5, points: { show: false } },
      ],
      hooks: {
        ready: [
          (chart) => {
            plot.current = chart;
            const go = ({ clientX }: MouseEvent) =>
              lockstep.seek(
                track.frameAt(chart.posToVal(clientX - chart.over.getBoundingClientRect().left, "x")),
              );
            chart.over.addEventListener("pointerdown", (event) => {
              chart.over.setPointerCapture(event.pointerId);
              go(event);
            });
            chart.over.addEventListener("pointermove", (event) => {
              if (chart.over.hasPointerCapture(event.pointerId)) go(event);
            });
            mark();
          },
        ],
        setSize: [mark],
        destroy: [
          () => {
            plot.current = null;
          },
        ],
        drawClear: [(chart) => shade(chart, comparison, colours)],
      },
    }),
    [lockstep, track, comparison, mark],
  );
  const data = useCallback(
    (): uPlot.AlignedData => [
      comparison.frames.map(({ attempt_frame }) => attempt_frame / track.fps),
      curve?.sample_degrees ?? [],
      curve?.attempt_degrees ?? [],
    ],
    [comparison, track, curve],
  );
  if (curve === undefined) return null;
  const joint = named(t, "joint", jointOf(curve.name));
  return (
    <section class="card curves" aria-labelledby="curves-title">
      <header>
        <h3 id="curves-title">{t("compare.curves")}</h3>
        <div class="each-line">
          <ul class="keys" aria-hidden="true">
            <li class="key-reference">{t("compare.curve.sample")}</li>
            <li>{t("compare.curve.attempt")}</li>
          </ul>
          <label class="joint-picker">
            <span class="visually-hidden">{t("compare.joint")}</span>
            <select value={curve.name} onChange={(event) => setPicked(event.currentTarget.value)}>
              {curves.map(({ name }) => (
                <option key={name} value={name}>
                  {named(t, "joint", jointOf(name))}
                </option>
              ))}
            </select>
          </label>
        </div>
      </header>
      <Chart label={t("compare.curve", { joint })} options={options} data={data} subscribe={unchanging} />
    </section>
  );
}

const nothing = () => null;

/** The joint whose error a curve explains. */
function jointOf(curve: string): string {
  return curve === "trunk_lean" ? "trunk" : curve === "neck" ? "head" : curve;
}

function span(degrees: readonly (number | null)[]): number {
  const known = degrees.filter((value) => value !== null);
  return known.length === 0 ? 0 : Math.max(...known) - Math.min(...known);
}

/** A curve that says nothing in either video is no choice. */
function moves({ attempt_degrees, sample_degrees }: ComparedCurve): boolean {
  return span(attempt_degrees) > 0 || span(sample_degrees) > 0;
}

/** The joint that moves most in both. */
function widest(curves: readonly ComparedCurve[]): ComparedCurve | undefined {
  const both = (curve: ComparedCurve) => Math.min(span(curve.sample_degrees), span(curve.attempt_degrees));
  return [...curves].sort((a, b) => both(b) - both(a))[0];
}

/** The repetitions, behind the curves. */
function shade(chart: uPlot, { repetitions }: Comparison, colours: Colours): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.globalAlpha = 0.09;
  ctx.fillStyle = colours.accent;
  for (const { start_s, end_s } of repetitions) {
    const from = chart.valToPos(start_s, "x", true);
    ctx.fillRect(from, bbox.top, chart.valToPos(end_s, "x", true) - from, bbox.height);
  }
  ctx.restore();
}
