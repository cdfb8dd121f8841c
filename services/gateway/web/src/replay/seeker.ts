// Brings a video to a moment. Asked again while it seeks, it goes on to the newest moment when it gets there.

const HAVE_METADATA = 1; // a constant of HTMLMediaElement, which tests outside a browser lack

export class Seeker {
  #wanted: number | null = null;
  readonly #video: HTMLVideoElement;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    video.addEventListener("seeked", this.#next);
    video.addEventListener("loadedmetadata", this.#next);
  }

  get busy(): boolean {
    return this.#wanted !== null || this.#video.seeking;
  }

  to(seconds: number): void {
    this.#wanted = seconds;
    if (!this.#video.seeking) this.#next();
  }

  close(): void {
    this.#video.removeEventListener("seeked", this.#next);
    this.#video.removeEventListener("loadedmetadata", this.#next);
  }

  #next = (): void => {
    if (this.#wanted === null || this.#video.readyState < HAVE_METADATA) return;
    const seconds = this.#wanted;
    this.#wanted = null;
    if (Math.abs(this.#video.currentTime - seconds) > 1e-6) this.#video.currentTime = seconds;
  };
}

/** Hears of each frame a video puts on screen, with its media time; where browsers do not tell, of its position. */
export function onFrame(
  video: HTMLVideoElement,
  listener: (mediaTime: number, told: boolean) => void,
): () => void {
  let asked = 0;
  if ("requestVideoFrameCallback" in video) {
    const heard: VideoFrameRequestCallback = (_now, { mediaTime }) => {
      asked = video.requestVideoFrameCallback(heard);
      listener(mediaTime, true);
    };
    asked = video.requestVideoFrameCallback(heard);
    return () => video.cancelVideoFrameCallback(asked);
  }
  const look = () => {
    asked = requestAnimationFrame(look);
    listener((video as HTMLVideoElement).currentTime, false);
  };
  asked = requestAnimationFrame(look);
  return () => cancelAnimationFrame(asked);
}
