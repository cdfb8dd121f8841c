import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onColours } from "../state/colours";
import { paper } from "../state/preferences";

const DRAW_MS = 150;
/** What a card holds on a portrait page of A4 or Letter, whose width is not known before it is laid out. */
const PAPER_PX = 640;
const COLOURS = ["text", "muted", "line", "accent", "good-mark", "fair-mark"] as const;
export type Colours = Record<(typeof COLOURS)[number], string>;

interface Props {
  label: string;
  /** Makes the chart's options anew when the colours change; keep it stable otherwise. */
  options: (colours: Colours) => Omit<uPlot.Options, "width" | "height">;
  /** The newest data, read while drawing. */
  data: () => uPlot.AlignedData;
  /** Hears of new data. */
  subscribe: (listener: () => void) => () => void;
}

/** A uPlot that fills its box, follows the colour scheme and draws at most a few times a second. */
export function Chart({ label, options, data, subscribe }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let chart: uPlot | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const size = () => ({
      width: paper.get() ? PAPER_PX : element.clientWidth,
      height: element.clientHeight,
    });
    const make = () => {
      chart?.destroy();
      if (element.clientWidth > 0 && element.clientHeight > 0)
        chart = new uPlot({ ...options(coloursOf(element)), ...size() }, data(), element);
    };
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (document.visibilityState === "visible") chart?.setData(data());
      }, DRAW_MS);
    };
    const observer = new ResizeObserver(() => {
      if (chart === null) make();
      else chart.setSize(size());
    });
    observer.observe(element);
    const stops = [onColours(make), subscribe(soon)];
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      clearTimeout(timer);
      chart?.destroy();
    };
  }, [options, data, subscribe]);

  return <div class="chart" ref={box} role="img" aria-label={label} />;
}

/** For a chart whose data stays as it is. */
export const unchanging = (): (() => void) => () => undefined;

/** The custom properties as a canvas needs them. */
function coloursOf(element: HTMLElement): Colours {
  const probe = element.appendChild(document.createElement("i"));
  const colours = Object.fromEntries(
    COLOURS.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  ) as Colours;
  probe.remove();
  return colours;
}

/** Axis lines and labels, quiet. */
export function axis(colours: Colours, more: uPlot.Axis = {}): uPlot.Axis {
  return {
    stroke: colours.muted,
    font: "11px system-ui, sans-serif",
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    ...more,
  };
}
