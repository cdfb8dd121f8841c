// Draws 33 landmarks as a skeleton whose limbs carry the colour of how far their joints are off.

import type { JointError } from "../api/documents";
import { severityColour } from "./severity";

/** Joint whose error a landmark shows; landmarks of the face and hands that tell nothing are not drawn. */
const JOINT_OF: Record<number, string> = {
  11: "left_shoulder",
  12: "right_shoulder",
  13: "left_elbow",
  14: "right_elbow",
  15: "left_elbow",
  16: "right_elbow",
  23: "left_hip",
  24: "right_hip",
  25: "left_knee",
  26: "right_knee",
  27: "left_ankle",
  28: "right_ankle",
  31: "left_ankle",
  32: "right_ankle",
};

/** Pairs of landmarks; those of the trunk take its colour. */
const BONES: readonly (readonly [number, number, string?])[] = [
  [11, 12, "trunk"],
  [23, 24, "trunk"],
  [11, 23, "trunk"],
  [12, 24, "trunk"],
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16],
  [23, 25],
  [25, 27],
  [27, 31],
  [24, 26],
  [26, 28],
  [28, 32],
];
const KNOBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28] as const;
const LEAST_VISIBILITY = 0.5;

/** A figure in one colour: the reference's. */
export function drawGhost(
  canvas: CanvasRenderingContext2D,
  xy: readonly number[],
  placement: Placement,
  colour: string,
  lineWidth: number,
  alpha: number,
): void {
  const x = (i: number) => (xy[2 * i] ?? 0) * placement.scale + placement.x;
  const y = (i: number) => (xy[2 * i + 1] ?? 0) * placement.scale + placement.y;
  canvas.save();
  canvas.globalAlpha = alpha;
  canvas.strokeStyle = colour;
  canvas.lineWidth = lineWidth;
  canvas.lineCap = "round";
  canvas.lineJoin = "round";
  canvas.beginPath(); // one path, so that crossing limbs do not add up
  for (const [a, b] of BONES) {
    canvas.moveTo(x(a), y(a));
    canvas.lineTo(x(b), y(b));
  }
  traceHead(canvas, x, y);
  canvas.stroke();
  canvas.restore();
}

/** Ears and shoulders carry the head: a ring, which tells more than the marks of a face. */
function traceHead(
  canvas: CanvasRenderingContext2D,
  x: (i: number) => number,
  y: (i: number) => number,
): void {
  const [headX, headY] = [(x(7) + x(8)) / 2, (y(7) + y(8)) / 2];
  const [neckX, neckY] = [(x(11) + x(12)) / 2, (y(11) + y(12)) / 2];
  const away = Math.hypot(headX - neckX, headY - neckY);
  const radius = away * 0.5;
  const share = away > 0 ? 1 - radius / away : 0;
  canvas.moveTo(neckX, neckY);
  canvas.lineTo(neckX + (headX - neckX) * share, neckY + (headY - neckY) * share);
  canvas.moveTo(headX + radius, headY);
  canvas.arc(headX, headY, radius, 0, 2 * Math.PI);
}

export type Severities = ReadonlyMap<string, number>;

export function severities(errors: readonly JointError[] | undefined): Severities {
  return new Map((errors ?? []).map(({ joint, severity }) => [joint, severity]));
}

export interface Figure {
  /** 33 x, y pairs. */
  xy: readonly number[];
  visibility: readonly number[] | null;
}

/** Maps the figure's units to the canvas: scale first, then shift. */
export interface Placement {
  scale: number;
  x: number;
  y: number;
}

export function drawSkeleton(
  canvas: CanvasRenderingContext2D,
  figure: Figure,
  placement: Placement,
  wrong: Severities,
  lineWidth: number,
): void {
  const x = (i: number) => (figure.xy[2 * i] ?? 0) * placement.scale + placement.x;
  const y = (i: number) => (figure.xy[2 * i + 1] ?? 0) * placement.scale + placement.y;
  const seen = (i: number) => (figure.visibility?.[i] ?? 1) >= LEAST_VISIBILITY;
  const colour = (i: number) => severityColour(wrong.get(JOINT_OF[i] ?? ""));
  const bones = BONES.filter(([a, b]) => seen(a) && seen(b));

  canvas.lineCap = "round";
  canvas.lineJoin = "round";
  canvas.strokeStyle = "rgb(8 12 24 / 0.45)"; // a dark edge keeps it readable on any background
  canvas.lineWidth = lineWidth * 1.9;
  canvas.beginPath();
  for (const [a, b] of bones) {
    canvas.moveTo(x(a), y(a));
    canvas.lineTo(x(b), y(b));
  }
  canvas.stroke();

  canvas.lineWidth = lineWidth;
  for (const [a, b, part] of bones) {
    if (part === undefined) {
      const along = canvas.createLinearGradient(x(a), y(a), x(b), y(b));
      along.addColorStop(0, colour(a));
      along.addColorStop(1, colour(b));
      canvas.strokeStyle = along;
    } else canvas.strokeStyle = severityColour(wrong.get(part));
    canvas.beginPath();
    canvas.moveTo(x(a), y(a));
    canvas.lineTo(x(b), y(b));
    canvas.stroke();
  }

  if ([0, 7, 8, 11, 12].every(seen)) {
    canvas.beginPath();
    traceHead(canvas, x, y);
    canvas.strokeStyle = severityColour(wrong.get("head"));
    canvas.lineWidth = lineWidth;
    canvas.stroke();
  }

  for (const i of KNOBS) {
    if (!seen(i)) continue;
    const severity = wrong.get(JOINT_OF[i] ?? "") ?? 0;
    canvas.beginPath();
    canvas.arc(x(i), y(i), lineWidth * 0.95, 0, 2 * Math.PI);
    canvas.fillStyle = "#fff";
    canvas.fill();
    canvas.strokeStyle = colour(i);
    canvas.lineWidth = lineWidth * 0.7;
    canvas.stroke();
    if (severity <= 1) continue;
    canvas.beginPath(); // a ring marks what is wrong without relying on colour
    canvas.arc(x(i), y(i), lineWidth * 3, 0, 2 * Math.PI);
    canvas.lineWidth = lineWidth * 0.55;
    canvas.stroke();
  }
}
