// Takes frames off a <video> at a steady rate, as JPEG, each with the moment it was captured.

const QUALITY = 0.8;
const LATEST_CAPTURE_MS = 1000; // a capture time further from now than this is of another clock

export interface Grabbed {
  /** Number of the frame; those that were not sent still use theirs. */
  frame: number;
  /** performance.now() at the capture, as well as the browser knows it. */
  capturedMs: number;
  jpeg: ArrayBuffer;
}

export interface GrabberSettings {
  fps: number;
  /** Longer side of what is sent, pixels; never larger than the camera's own. */
  longerSide: number;
  /** Whether a frame would be taken now: encoding one that would not is wasted. */
  wanted: () => boolean;
  onFrame: (grabbed: Grabbed) => void;
}

export class Grabber {
  readonly #canvas = new OffscreenCanvas(1, 1);
  #frame = 0;
  #next = 0;
  #encoding = false;
  #handle = 0;
  #stopped = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly settings: GrabberSettings,
  ) {
    this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.video.cancelVideoFrameCallback(this.#handle);
  }

  #ask(): void {
    if (!this.#stopped)
      this.#handle = this.video.requestVideoFrameCallback((now, about) => this.#take(now, about));
  }

  #take(now: number, { captureTime }: VideoFrameCallbackMetadata): void {
    this.#ask();
    const interval = 1000 / this.settings.fps;
    if (now < this.#next - interval / 4) return; // a camera's jitter must not cost every second frame
    this.#next = Math.max(this.#next + interval, now + interval / 2);
    const frame = this.#frame++;
    if (this.#encoding || !this.settings.wanted()) return;
    const known = captureTime !== undefined && Math.abs(now - captureTime) < LATEST_CAPTURE_MS;
    void this.#encode(frame, known ? captureTime : now);
  }

  async #encode(frame: number, capturedMs: number): Promise<void> {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0 || videoHeight === 0) return;
    this.#encoding = true;
    try {
      const scale = Math.min(1, this.settings.longerSide / Math.max(videoWidth, videoHeight));
      const width = Math.round(videoWidth * scale);
      const height = Math.round(videoHeight * scale);
      if (this.#canvas.width !== width || this.#canvas.height !== height) {
        this.#canvas.width = width;
        this.#canvas.height = height;
      }
      this.#canvas.getContext("2d", { alpha: false })?.drawImage(this.video, 0, 0, width, height);
      const blob = await this.#canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
      const jpeg = await blob.arrayBuffer();
      if (!this.#stopped) this.settings.onFrame({ frame, capturedMs, jpeg });
    } catch {
      // The camera went away between two frames: the next one, or its end, tells.
    } finally {
      this.#encoding = false;
    }
  }
}
