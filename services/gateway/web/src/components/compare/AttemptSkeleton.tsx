import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { FramePair } from "../../api/comparison";
import { drawNever, drawSoon, fitted } from "../../draw/loop";
import { drawSkeleton, severities } from "../../draw/skeleton";
import type { Lockstep } from "../../replay/lockstep";

const THOUSANDTHS = 1000;

interface Props {
  lockstep: Lockstep;
  video: RefObject<HTMLVideoElement | null>;
}

/** The attempt's skeleton over its picture, in the colours of how far each joint is off; the list beside it says the same. */
export function AttemptSkeleton({ lockstep, video }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const [element, picture] = [canvas.current, video.current];
    if (element === null || picture === null) return;
    const draw = () => {
      const context = fitted(element);
      const frame = lockstep.frame.get();
      element.dataset.frame = String(frame);
      if (context !== null) drawPair(context, element, picture, lockstep.track.pairAt(frame));
    };
    const soon = () => drawSoon(draw);
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    picture.addEventListener("loadedmetadata", soon);
    const stop = lockstep.frame.subscribe(soon);
    soon();
    return () => {
      stop();
      observer.disconnect();
      picture.removeEventListener("loadedmetadata", soon);
      drawNever(draw);
    };
  }, [lockstep, video]);
  return <canvas class="overlay" ref={canvas} />;
}

function drawPair(
  context: CanvasRenderingContext2D,
  { clientWidth, clientHeight }: HTMLCanvasElement,
  { videoWidth, videoHeight }: HTMLVideoElement,
  pair: FramePair | null,
): void {
  const landmarks = pair?.landmarks ?? null;
  if (pair === null || landmarks === null || videoWidth === 0) return;
  // the picture lies within its box as `object-fit: contain` puts it
  const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
  const size = [videoWidth * scale, videoHeight * scale] as const;
  const place = { scale: 1, x: (clientWidth - size[0]) / 2, y: (clientHeight - size[1]) / 2 };
  const xy = landmarks.map((share, at) => ((share ?? 0) / THOUSANDTHS) * (at % 2 === 0 ? size[0] : size[1]));
  const visibility = Array.from({ length: landmarks.length / 2 }, (_, at) =>
    landmarks[2 * at] === null ? 0 : 1,
  );
  const lineWidth = Math.max(2.5, Math.min(...size) / 110);
  drawSkeleton(context, { xy, visibility }, place, severities(pair.joint_errors), lineWidth);
}
