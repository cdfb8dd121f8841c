// The reference's figure: alone on its own canvas, or over the person, moved and scaled to their trunk.

import type { CameraPose } from "../api/messages";
import type { Placement } from "./skeleton";

const SAME_VIEW_DEGREES = 35;
const [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP] = [11, 12, 23, 24] as const;

/** Where a ghost (trunk lengths from the middle of the hips) lies over a person; null when the trunk is not seen. */
export function placeOver(pose: CameraPose, scale: number): Placement | null {
  const xy = pose.image_px;
  if (xy === null) return null;
  const middle = (a: number, b: number): [number, number] => [
    ((xy[2 * a] ?? 0) + (xy[2 * b] ?? 0)) / 2,
    ((xy[2 * a + 1] ?? 0) + (xy[2 * b + 1] ?? 0)) / 2,
  ];
  const [hipX, hipY] = middle(LEFT_HIP, RIGHT_HIP);
  const [shoulderX, shoulderY] = middle(LEFT_SHOULDER, RIGHT_SHOULDER);
  const trunk = Math.hypot(shoulderX - hipX, shoulderY - hipY);
  return trunk < 4 ? null : { scale: trunk * scale, x: hipX * scale, y: hipY * scale };
}

/** Direction the person is seen from, degrees: 0 their front, 90 their left side, as in a reference's view_degrees. */
export function headingDegrees(pose: CameraPose): number | null {
  const world = pose.world_m;
  if (world === null) return null;
  const across = (axis: number) =>
    (world[3 * LEFT_HIP + axis] ?? 0) -
    (world[3 * RIGHT_HIP + axis] ?? 0) +
    (world[3 * LEFT_SHOULDER + axis] ?? 0) -
    (world[3 * RIGHT_SHOULDER + axis] ?? 0);
  return (Math.atan2(-across(2), across(0)) * 180) / Math.PI; // MediaPipe's z grows away from the camera
}

/** Whether the reference was filmed from about where this camera stands: elsewhere its picture would mislead. */
export function sameView(pose: CameraPose, viewDegrees: number | null): boolean {
  const heading = headingDegrees(pose);
  if (heading === null || viewDegrees === null) return true;
  const away = Math.abs(((heading - viewDegrees + 540) % 360) - 180);
  return away <= SAME_VIEW_DEGREES;
}

/** Places a ghost that plays alone so that its whole movement fits. */
export function placeAlone(ghost: readonly (readonly number[])[], width: number, height: number): Placement {
  const box = { left: 0, right: 0, top: 0, bottom: 0 };
  const [headRoom, footRoom] = [0.35, 0.1]; // the head's ring and the lines' width stand out beyond the landmarks
  for (const frame of ghost)
    for (let i = 0; i < frame.length; i += 2) {
      box.left = Math.min(box.left, frame[i] ?? 0);
      box.right = Math.max(box.right, frame[i] ?? 0);
      box.top = Math.min(box.top, frame[i + 1] ?? 0);
      box.bottom = Math.max(box.bottom, frame[i + 1] ?? 0);
    }
  box.top -= headRoom;
  box.bottom += footRoom;
  const [wide, high] = [box.right - box.left, box.bottom - box.top];
  if (wide === 0) return { scale: 1, x: width / 2, y: height / 2 };
  const scale = 0.9 * Math.min(width / wide, height / high);
  return {
    scale,
    x: width / 2 - ((box.left + box.right) / 2) * scale,
    y: height / 2 - ((box.top + box.bottom) / 2) * scale,
  };
}
