// The newest images of a camera: a Motion-JPEG stream where one may be held, else one request an image.

import { type Part, readMjpeg } from "../api/mjpeg";
import { frameAddress, streamAddress } from "../api/rest";

// A browser opens six HTTP/1.1 connections to a host, for all its windows together; the rest of the page needs two.
const STREAMS = 4;
const RETRY_MS = 1000;
const POLL_MS = 60; // least time between two single images

/** Ends a wait early when aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

let held = 0;

/** Runs `work` while holding one of the streams this browser may have open; false if none was free. */
async function withStream(work: () => Promise<void>): Promise<boolean> {
  const locks: LockManager | undefined = navigator.locks; // counts across windows; missing outside secure contexts
  if (locks !== undefined) {
    for (let slot = 0; slot < STREAMS; slot++) {
      const taken = await locks.request(`komi.stream.${slot}`, { ifAvailable: true }, async (lock) => {
        if (lock !== null) await work();
        return lock !== null;
      });
      if (taken) return true;
    }
    return false;
  }
  if (held >= STREAMS) return false;
  held++;
  try {
    await work();
  } finally {
    held--;
  }
  return true;
}

export interface Frame {
  image: ImageBitmap;
  /** Capture time, µs on the server clock; null where the answer did not say. */
  serverUs: number | null;
}

export class CameraFrames {
  #stop = new AbortController();
  #decoding = false;
  #etag = "";

  constructor(
    readonly cameraId: string,
    private readonly onFrame: (frame: Frame) => void,
  ) {}

  /** Brings images until stopped, however often the gateway goes and comes back. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const streamed = await withStream(() =>
          readMjpeg(streamAddress(this.cameraId), (part) => void this.#takePart(part), signal),
        );
        if (!streamed) await this.#poll(signal);
      } catch {
        // The gateway or the camera is away: tried again below. The connection pill says what is wrong.
      }
      await pause(RETRY_MS, signal);
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Single images for a while, then another try for a stream. */
  async #poll(signal: AbortSignal): Promise<void> {
    const until = performance.now() + 10_000;
    while (!signal.aborted && performance.now() < until) {
      const began = performance.now();
      const answer = await fetch(frameAddress(this.cameraId), {
        signal,
        cache: "no-store",
        headers: this.#etag ? { "If-None-Match": this.#etag } : {},
      });
      if (answer.status === 200) {
        this.#etag = answer.headers.get("ETag") ?? "";
        await this.#show(await answer.blob(), answer.headers.get("X-Capture-Time-Us"));
      } else if (answer.status !== 304) throw new Error(`HTTP ${answer.status}`);
      await pause(Math.max(0, POLL_MS - (performance.now() - began)), signal);
    }
  }

  async #takePart(part: Part): Promise<void> {
    if (this.#decoding) return; // newest wins: the next one is on its way
    await this.#show(
      new Blob([part.jpeg], { type: "image/jpeg" }),
      part.headers.get("x-capture-time-us") ?? null,
    );
  }

  async #show(jpeg: Blob, serverUs: string | null): Promise<void> {
    this.#decoding = true;
    try {
      const image = await createImageBitmap(jpeg);
      if (this.#stop.signal.aborted) image.close();
      else this.onFrame({ image, serverUs: serverUs === null ? null : Number(serverUs) });
    } catch {
      // A broken image is skipped.
    } finally {
      this.#decoding = false;
    }
  }
}
