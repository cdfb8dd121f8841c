import { useEffect, useRef } from "preact/hooks";
import type { Reference } from "../api/documents";
import { placeAlone } from "../draw/ghost";
import { fitted } from "../draw/loop";
import { drawGhost } from "../draw/skeleton";
import { useText } from "../i18n";
import { TEMPLATE_HZ } from "../state/history";
import type { SessionModel } from "../state/session";

const PAUSE_S = 0.8; // between two turns of the loop
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

/** The reference as a figure: at the person's position while they follow it, else playing in a loop. */
export function ReferenceFigure({ model, reference }: { model?: SessionModel; reference: Reference }) {
  const t = useText();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const { ghost } = reference;
    if (element === null || ghost.length === 0) return;
    let shown = "";
    let asked = 0;
    const play = (now: number) => {
      asked = requestAnimationFrame(play);
      draw(now);
    };
    const draw = (now: number) => {
      const frame = followed(model) ?? looped(now, ghost.length);
      const colour = getComputedStyle(element).color;
      const key = `${frame} ${colour} ${element.clientWidth} ${element.clientHeight}`;
      if (key === shown) return;
      const context = fitted(element);
      if (context === null) return;
      shown = key;
      const place = placeAlone(ghost, element.clientWidth, element.clientHeight);
      drawGhost(context, ghost[frame] ?? [], place, colour, Math.max(2, element.clientHeight / 42), 1);
    };
    const sight = new IntersectionObserver((entries) => {
      cancelAnimationFrame(asked);
      shown = "";
      if (entries.at(-1)?.isIntersecting) asked = requestAnimationFrame(play);
      else draw(0);
    });
    sight.observe(element);
    return () => {
      sight.disconnect();
      cancelAnimationFrame(asked);
    };
  }, [model, reference]);
  return (
    <canvas
      class="figure"
      ref={canvas}
      role="img"
      aria-label={t("movement.figure", { name: reference.name })}
    />
  );
}

function followed(model: SessionModel | undefined): number | null {
  const score = model?.latestScore ?? null;
  return score === null ? null : (model?.trace.get()?.position(score) ?? null);
}

function looped(now: number, frames: number): number {
  if (STILL.matches) return Math.floor(frames / 2);
  const turn = frames / TEMPLATE_HZ + PAUSE_S;
  return Math.min(frames - 1, Math.floor(((now / 1000) % turn) * TEMPLATE_HZ));
}
