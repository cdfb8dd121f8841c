import { useEffect, useRef, useState } from "preact/hooks";
import type { Reference } from "../../api/documents";
import { placeAlone } from "../../draw/ghost";
import { drawNever, drawSoon, fitted } from "../../draw/loop";
import { drawGhost } from "../../draw/skeleton";
import { useText } from "../../i18n";
import type { Lockstep } from "../../replay/lockstep";
import { onColours } from "../../state/colours";
import { templateFrame } from "../../state/history";
import { skeleton } from "../../state/preferences";
import { useValue } from "../../state/value";
import { VideoDrop } from "../VideoDrop";
import { AttemptSkeleton } from "./AttemptSkeleton";

interface VideoProps {
  lockstep: Lockstep;
  side: "sample" | "attempt";
  /** null: it was not chosen in this tab, and KOMI keeps no videos. */
  file: File | null;
  onFile: (file: File) => void;
}

/** One of the two videos, from the disk of whoever looks at it. */
export function VideoPane({ lockstep, side, file, onFile }: VideoProps) {
  const t = useText();
  const video = useRef<HTMLVideoElement>(null);
  const [playable, setPlayable] = useState(true);
  const drawn = useValue(skeleton) === "on" && side === "attempt" && file !== null && playable;

  useEffect(() => {
    const element = video.current;
    if (element === null || file === null) return;
    const address = URL.createObjectURL(file);
    setPlayable(true);
    element.src = address;
    const stop = side === "attempt" ? lockstep.lead(element) : lockstep.follow(element);
    return () => {
      stop();
      element.removeAttribute("src");
      element.load();
      URL.revokeObjectURL(address);
    };
  }, [lockstep, side, file]);

  return (
    <figure class={`pane pane-${side}`}>
      <figcaption>
        <b>{t(`compare.${side}`)}</b>
        {file !== null && <span class="pane-name">{file.name}</span>}
        {side === "sample" && <Misfit lockstep={lockstep} />}
      </figcaption>
      <div class="pane-picture">
        {file === null ? (
          <VideoDrop
            label={`${t(`compare.video.${side}`)}: ${t("compare.pick")}`}
            text={t("compare.pick")}
            video={null}
            onVideo={(chosen) => chosen !== undefined && onFile(chosen)}
          />
        ) : (
          <video
            ref={video}
            muted
            playsInline
            preload="auto"
            aria-label={t(`compare.video.${side}`)}
            onError={() => setPlayable(false)}
          />
        )}
        {drawn && <AttemptSkeleton lockstep={lockstep} video={video} />}
        {!playable && (
          <p class="pane-note" role="alert">
            {t("compare.unplayable")}
          </p>
        )}
      </div>
    </figure>
  );
}

/** The reference's figure at the moment of the movement that the attempt is at. */
export function FigurePane({ lockstep, reference }: { lockstep: Lockstep; reference: Reference }) {
  const t = useText();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    let last = 0;
    const draw = () => {
      const context = fitted(element);
      if (context === null) return;
      last = templateFrame(reference, lockstep.track.sampleAt(lockstep.frame.get())) ?? last;
      element.dataset.frame = String(last);
      const { clientWidth, clientHeight } = element;
      const place = placeAlone(reference.ghost, clientWidth, clientHeight);
      const colour = getComputedStyle(element).color;
      drawGhost(context, reference.ghost[last] ?? [], place, colour, Math.max(2, clientHeight / 70), 1);
    };
    const soon = () => drawSoon(draw);
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    const stops = [lockstep.frame.subscribe(soon), onColours(draw)];
    soon();
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      drawNever(draw);
    };
  }, [lockstep, reference]);

  return (
    <figure class="pane pane-figure">
      <figcaption>
        <b>{t("compare.sample")}</b>
        <span class="pane-name">{reference.name}</span>
        <Misfit lockstep={lockstep} />
      </figcaption>
      <div class="pane-picture">
        <canvas
          ref={canvas}
          class="figure"
          role="img"
          aria-label={t("compare.figure", { name: reference.name })}
        />
      </div>
    </figure>
  );
}

/** Says so where the attempt does what the sample does not. */
function Misfit({ lockstep }: { lockstep: Lockstep }) {
  const t = useText();
  const frame = useValue(lockstep.frame);
  return lockstep.track.fits(frame) ? null : <span class="misfit">{t("compare.nothing")}</span>;
}
