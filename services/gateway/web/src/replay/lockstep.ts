// Plays the attempt and keeps the sample at the frame that belongs to it. While playing, the sample runs as fast as the
// movements are laid onto each other; when it stands still, each video is brought to exactly its frame.

import { Value } from "../state/value";
import { onFrame, Seeker } from "./seeker";
import { middleOf, type Track } from "./track";

/** Further off than this the sample jumps instead of hurrying. */
const JUMP_S = 0.3;
/** How strongly what it is off is made up for, per second. */
const PULL = 4;
/** What browsers play at. */
const [SLOWEST, FASTEST] = [0.0625, 4];

interface Side {
  video: HTMLVideoElement;
  seeker: Seeker;
}

export class Lockstep {
  /** Frame of the attempt that all else follows. */
  readonly frame = new Value(0);
  readonly playing = new Value(false);
  readonly speed = new Value(1);
  /** The frame the browser says is on screen; null: it does not say, or is about to change it. */
  readonly shown = new Value<number | null>(null);
  /** Whether there is a video of the attempt to play. */
  readonly ready = new Value(false);
  #attempt: Side | null = null;
  #sample: Side | null = null;

  constructor(readonly track: Track) {}

  /** The attempt's video leads. */
  lead(video: HTMLVideoElement): () => void {
    const side = { video, seeker: new Seeker(video) };
    this.#attempt = side;
    const stop = onFrame(video, (mediaTime, told) => {
      const frame = told ? this.track.frameFrom(mediaTime) : this.track.frameAt(mediaTime);
      if (told) this.shown.set(side.seeker.busy ? null : frame);
      if (!this.playing.get()) return;
      this.frame.set(frame);
      this.#follow();
    });
    const ended = () => this.pause();
    video.addEventListener("ended", ended);
    this.ready.set(true);
    this.seek(this.frame.get());
    return () => {
      this.pause();
      stop();
      video.removeEventListener("ended", ended);
      side.seeker.close();
      this.#attempt = null;
      this.ready.set(false);
      this.shown.set(null);
    };
  }

  /** The sample's video follows. */
  follow(video: HTMLVideoElement): () => void {
    const side = { video, seeker: new Seeker(video) };
    this.#sample = side;
    this.seek(this.frame.get());
    return () => {
      side.seeker.close();
      this.#sample = null;
    };
  }

  /** Shows that frame of the attempt, and what belongs to it; stands still there. */
  seek(frame: number): void {
    this.#halt();
    const to = this.track.within(frame);
    this.frame.set(to);
    if (this.#attempt !== null) {
      this.shown.set(null);
      this.#attempt.seeker.to(middleOf(to, this.track.fps));
    }
    this.#place();
  }

  step(frames: number): void {
    this.seek(this.frame.get() + frames);
  }

  toggle(): void {
    if (this.playing.get()) this.pause();
    else this.play();
  }

  play(): void {
    const video = this.#attempt?.video;
    if (video === undefined) return;
    if (this.frame.get() >= this.track.frames - 1) this.seek(0);
    video.playbackRate = this.speed.get();
    this.playing.set(true);
    video.play().catch(() => this.#halt());
  }

  pause(): void {
    if (this.playing.get()) this.seek(this.frame.get());
  }

  setSpeed(speed: number): void {
    this.speed.set(speed);
    if (this.#attempt !== null) this.#attempt.video.playbackRate = speed;
  }

  #halt(): void {
    this.playing.set(false);
    this.#attempt?.video.pause();
    this.#sample?.video.pause();
  }

  /** The sample exactly at its frame. */
  #place(): void {
    this.#sample?.seeker.to(middleOf(this.track.sampleAt(this.frame.get()), this.track.sampleFps));
  }

  /** The sample on its way while the attempt plays. */
  #follow(): void {
    if (this.#sample === null) return;
    const { video, seeker } = this.#sample;
    const frame = this.frame.get();
    // by the positions, not by the frame that was told: both videos are as much ahead of what they show
    const off = this.track.sampleSecondsAt(this.#attempt?.video.currentTime ?? 0) - video.currentTime;
    const rate = this.track.slope(frame) * this.speed.get() + PULL * off;
    if (Math.abs(off) > JUMP_S) {
      if (!seeker.busy) this.#place();
    } else if (rate < SLOWEST || !this.track.fits(frame)) {
      video.pause();
    } else {
      video.playbackRate = Math.min(FASTEST, rate);
      if (video.paused) void video.play().catch(() => undefined);
    }
  }
}
