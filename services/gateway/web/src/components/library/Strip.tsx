import { useEffect, useRef, useState } from "preact/hooks";
import type { Reference } from "../../api/documents";
import { stripAddress } from "../../api/references";
import { placeAlone } from "../../draw/ghost";
import { fitted } from "../../draw/loop";
import { drawGhost } from "../../draw/skeleton";
import { useText } from "../../i18n";

const MOMENTS = 5;

/** The movement at a glance: pictures of the sample, or its figure at a few moments where there are none. */
export function Strip({ reference }: { reference: Reference }) {
  const t = useText();
  const [missing, setMissing] = useState(false);
  const label = t("library.strip", { name: reference.name });
  if (!reference.strip || missing) return <GhostStrip reference={reference} label={label} />;
  return (
    <img
      class="strip"
      src={stripAddress(reference.reference_id, reference.version)}
      alt={label}
      onError={() => setMissing(true)}
    />
  );
}

function GhostStrip({ reference: { ghost }, label }: { reference: Reference; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const draw = () => {
      const context = fitted(element);
      if (context === null) return;
      const [width, height] = [element.clientWidth / MOMENTS, element.clientHeight];
      const place = placeAlone(ghost, width, height);
      const colour = getComputedStyle(element).color;
      for (let moment = 0; moment < MOMENTS; moment++) {
        const frame = ghost[Math.round((moment * (ghost.length - 1)) / (MOMENTS - 1))] ?? [];
        const shifted = { ...place, x: place.x + moment * width };
        drawGhost(context, frame, shifted, colour, Math.max(2, height / 40), 1);
      }
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ghost]);
  return <canvas class="strip figure" ref={canvas} role="img" aria-label={label} />;
}
