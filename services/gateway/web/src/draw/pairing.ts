// Shows an image together with the pose found in it. They come on two ways, the image first: it waits for its pose,
// but never long, and never so that nothing moves.

import type { CameraPose } from "../api/messages";
import type { Frame } from "./frames";

const LONGEST_WAIT_MS = 200;
const MOST_WAITING = 6;
/** A pose this far from the image is of another movement and is not drawn over it, µs. */
const FARTHEST_US = 500_000;

interface Waiting {
  frame: Frame;
  since: number;
}

export class Pairing {
  #waiting: Waiting[] = [];
  #shownUs: number | null = null;

  add(frame: Frame, now: number): void {
    this.#waiting.push({ frame, since: now });
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.frame.image.close();
  }

  /** The newest image whose pose is there, or that has waited long enough; null when the one on show stays. */
  next(poses: readonly CameraPose[], now: number): Frame | null {
    const reached = poses.at(-1)?.server_us ?? null;
    const ready = this.#waiting.findLastIndex(
      ({ frame, since }) =>
        frame.serverUs === null ||
        (reached !== null && frame.serverUs <= reached) ||
        now - since >= LONGEST_WAIT_MS,
    );
    if (ready < 0) return null;
    const taken = this.#waiting.splice(0, ready + 1);
    const chosen = taken.pop()?.frame ?? null;
    for (const { frame } of taken) frame.image.close();
    this.#shownUs = chosen?.serverUs ?? null;
    return chosen;
  }

  /** Milliseconds until an image has waited long enough; null when none waits. */
  dueIn(now: number): number | null {
    const oldest = this.#waiting[0];
    return oldest === undefined ? null : Math.max(0, oldest.since + LONGEST_WAIT_MS - now);
  }

  /** The pose that belongs to the image on show: the nearest in time. */
  poseOf(poses: readonly CameraPose[]): CameraPose | null {
    const newest = poses.at(-1) ?? null;
    const shown = this.#shownUs;
    if (shown === null || newest === null) return newest;
    const away = (pose: CameraPose) => Math.abs((pose.server_us ?? Number.POSITIVE_INFINITY) - shown);
    const nearest = poses.reduce((best, pose) => (away(pose) < away(best) ? pose : best), newest);
    return away(nearest) <= FARTHEST_US ? nearest : null;
  }

  clear(): void {
    for (const { frame } of this.#waiting) frame.image.close();
    this.#waiting = [];
  }
}
