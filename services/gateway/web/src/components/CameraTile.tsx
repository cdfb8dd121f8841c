import { useEffect, useRef, useState } from "preact/hooks";
import type { Alarm, CameraPose, CameraStatus } from "../api/messages";
import { CameraFrames } from "../draw/frames";
import { placeOver, sameView } from "../draw/ghost";
import { drawNever, drawSoon, fitted } from "../draw/loop";
import { Pairing } from "../draw/pairing";
import { drawGhost, drawSkeleton, severities } from "../draw/skeleton";
import { useText } from "../i18n";
import { ghost } from "../state/preferences";
import type { SessionModel } from "../state/session";

const GHOST_COLOUR = "#a9bfff";
const NOBODY_MS = 2000; // somebody who turns or is hidden for a moment is still there

interface Props {
  model: SessionModel;
  camera: CameraStatus;
  /** Its pictures are late, or were before they were put right. */
  late: Alarm | null;
  width: number;
  height: number;
  enlarged: boolean;
  onEnlarge: ((camera: string | null) => void) | null;
}

/** One camera: its newest image, and over it the newest pose. */
export function CameraTile({ model, camera, late, width, height, enlarged, onEnlarge }: Props) {
  const t = useText();
  const name = camera.camera_id;
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [pictured, setPictured] = useState(false);
  const [nobody, setNobody] = useState(false);

  usePictures(model, camera, picture, overlay, setPictured, setNobody);

  return (
    <div
      class={`tile${camera.connected ? "" : " tile-away"}`}
      style={{ width: `${width}px`, height: `${height}px` }}
    >
      <canvas class="picture" ref={picture} role="img" aria-label={t("camera.picture", { name })} />
      <canvas class="overlay" ref={overlay} />
      {(!pictured || !camera.connected) && (
        <span class="tile-wait">{camera.connected ? t("camera.waiting") : t("camera.away")}</span>
      )}
      <span class="tile-name">
        <span class="tile-text">{name}</span>
        {camera.connected && camera.fps !== null && (
          <small>{t("camera.fps", { fps: Math.round(camera.fps) })}</small>
        )}
        {late !== null && !late.applied && (
          <small class="tile-late">
            {t(late.lag_ms < 0 ? "alarm.short.early" : "alarm.short", {
              ms: Math.abs(Math.round(late.lag_ms)),
            })}
          </small>
        )}
      </span>
      {nobody && pictured && camera.connected && <span class="tile-nobody">{t("camera.nobody")}</span>}
      {onEnlarge !== null && (
        <button
          type="button"
          class="tile-button"
          aria-pressed={enlarged}
          aria-label={t("camera.enlarge", { name })}
          title={enlarged ? t("camera.shrink") : t("camera.enlarge", { name })}
          onClick={() => onEnlarge(enlarged ? null : name)}
        />
      )}
    </div>
  );
}

/** Brings images while the tile can be seen (neither a hidden window nor a tile scrolled away costs anything) and
 * draws each with its pose. */
function usePictures(
  model: SessionModel,
  { camera_id: cameraId, connected }: CameraStatus,
  picture: { current: HTMLCanvasElement | null },
  overlay: { current: HTMLCanvasElement | null },
  setPictured: (pictured: boolean) => void,
  setNobody: (nobody: boolean) => void,
): void {
  useEffect(() => {
    const [below, above] = [picture.current, overlay.current];
    if (below === null || above === null) return;
    const pairing = new Pairing();
    let frames: CameraFrames | null = null;
    let due: ReturnType<typeof setTimeout> | undefined;
    let inView = true;
    let drawn = "";
    let seenMs = performance.now();

    const draw = () => {
      const now = performance.now();
      const poses = model.poses.get(cameraId) ?? [];
      const frame = pairing.next(poses, now);
      if (frame !== null) {
        show(below, frame.image);
        setPictured(true);
      }
      const pose = connected ? pairing.poseOf(poses) : null;
      if (poses.at(-1)?.image_px !== null) seenMs = now;
      setNobody(now - seenMs > NOBODY_MS);
      const key = `${pose?.epoch} ${pose?.frame} ${model.latestScore?.seq} ${above.clientWidth} ${ghost.get()}`;
      if (key !== drawn) drawPose(above, pose, model);
      drawn = key;
      clearTimeout(due);
      const wait = pairing.dueIn(now);
      if (wait !== null) due = setTimeout(soon, wait);
    };
    const soon = () => drawSoon(draw);
    const update = () => {
      const wanted = connected && inView && document.visibilityState === "visible";
      if (wanted && frames === null) {
        frames = new CameraFrames(cameraId, (frame) => {
          pairing.add(frame, performance.now());
          soon();
        });
        void frames.run();
      } else if (!wanted && frames !== null) {
        frames.stop();
        frames = null;
      }
    };

    const sight = new IntersectionObserver((entries) => {
      inView = entries.at(-1)?.isIntersecting ?? true;
      update();
    });
    sight.observe(below);
    const size = new ResizeObserver(soon);
    size.observe(above);
    document.addEventListener("visibilitychange", update);
    const stopHearing = model.onDraw(soon);
    update();
    return () => {
      sight.disconnect();
      size.disconnect();
      document.removeEventListener("visibilitychange", update);
      stopHearing();
      frames?.stop();
      clearTimeout(due);
      drawNever(draw);
      pairing.clear();
    };
  }, [model, cameraId, connected, picture, overlay, setPictured, setNobody]);
}

function show(canvas: HTMLCanvasElement, image: ImageBitmap): void {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(image);
}

function drawPose(canvas: HTMLCanvasElement, pose: CameraPose | null, model: SessionModel): void {
  const context = fitted(canvas);
  if (context === null || pose === null || pose.image_px === null || pose.width === 0) return;
  const score = model.latestScore;
  drawReference(context, canvas, pose, model);
  const placement = { scale: canvas.clientWidth / pose.width, x: 0, y: 0 };
  const lineWidth = Math.max(2.5, Math.min(canvas.clientWidth, canvas.clientHeight) / 110);
  const figure = { xy: pose.image_px, visibility: pose.visibility };
  drawSkeleton(context, figure, placement, severities(score?.joint_errors), lineWidth);
}

/** The reference over the person, while they follow it and where the camera sees them as the sample did. */
function drawReference(
  context: CanvasRenderingContext2D,
  canvas: HTMLCanvasElement,
  pose: CameraPose,
  model: SessionModel,
): void {
  const [reference, score] = [model.reference.get(), model.latestScore];
  if (ghost.get() === "off" || reference === null || score === null) return;
  const frame = reference.ghost[model.trace.get()?.position(score) ?? -1];
  const place = placeOver(pose, canvas.clientWidth / pose.width);
  if (frame === undefined || place === null || !sameView(pose, reference.view_degrees)) return;
  drawGhost(context, frame, place, GHOST_COLOUR, Math.max(7, place.scale / 7), 0.5);
}
