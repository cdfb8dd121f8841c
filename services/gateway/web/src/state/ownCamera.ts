// This device as a camera: opens it, streams it, and holds what the page shows of that.

import { CameraSocket, type Link, type PoseAnswer } from "../api/cameraSocket";
import { CameraRefused, type Choice, keepAwake, openCamera, type Refusal } from "../capture/device";
import { Grabber } from "../capture/grabber";
import { Value } from "./value";

const LONGER_SIDE = 640;
const COUNT_MS = 1000;

export interface Settings {
  name: string;
  session: string;
  choice: Choice;
  fps: number;
}

export interface Figures {
  fps: number;
  latencyMs: number | null;
  uncertaintyUs: number | null;
  dropped: number;
}

export type Stage = "idle" | "opening" | "streaming" | "refused";

/** Tells this page from others that use the same name; lives as long as the page's tab. */
const instance = `page-${Math.floor(Math.random() * 2 ** 48).toString(36)}${Date.now().toString(36)}`;

export class OwnCamera {
  readonly stage = new Value<Stage>("idle");
  readonly refusal = new Value<Refusal | null>(null);
  readonly link = new Value<Link>({ state: "connecting" });
  readonly session = new Value("");
  readonly figures = new Value<Figures>({ fps: 0, latencyMs: null, uncertaintyUs: null, dropped: 0 });
  readonly facing = new Value<string>("user");
  /** Newest answer, for drawing. */
  pose: PoseAnswer | null = null;

  #stop: (() => void) | null = null;
  #settings: Settings | null = null;

  constructor(private readonly onPose: () => void) {}

  async start(video: HTMLVideoElement, settings: Settings): Promise<void> {
    this.stop();
    this.#settings = settings;
    this.stage.set("opening");
    let media: MediaStream;
    try {
      media = await openCamera(settings.choice);
    } catch (error) {
      this.refusal.set(error instanceof CameraRefused ? error.why : "missing");
      this.stage.set("refused");
      return;
    }
    if (this.#settings !== settings) {
      for (const track of media.getTracks()) track.stop(); // stopped, or started anew, meanwhile
      return;
    }
    video.srcObject = media;
    await video.play().catch(() => undefined);
    const track = media.getVideoTracks()[0];
    this.facing.set(track?.getSettings().facingMode ?? "user");
    this.#stream(video, media, settings);
    // A phone takes the camera away when it sleeps or another program wants it: it is opened again when we are seen.
    track?.addEventListener("ended", () => this.#reopen(video, settings));
    this.stage.set("streaming");
  }

  stop(): void {
    this.#settings = null;
    this.#stop?.();
    this.#stop = null;
    this.pose = null;
    this.stage.set("idle");
  }

  #reopen(video: HTMLVideoElement, settings: Settings): void {
    if (this.#settings !== settings) return;
    const again = () => {
      if (document.visibilityState !== "visible") return;
      document.removeEventListener("visibilitychange", again);
      if (this.#settings === settings) void this.start(video, settings);
    };
    document.addEventListener("visibilitychange", again);
    again();
  }

  #stream(video: HTMLVideoElement, media: MediaStream, settings: Settings): void {
    const { name, session, fps } = settings;
    let sent = 0;
    let dropped = 0;
    let uncertaintyUs: number | null = null;
    const latencies: number[] = [];
    const connection = new CameraSocket(
      name,
      { session, fps: String(fps), instance },
      {
        onLink: (link) => this.link.set(link),
        onPose: (pose) => {
          this.pose = pose;
          latencies.push(pose.latency_ms);
          this.onPose();
        },
        onClock: (clock) => {
          uncertaintyUs = clock.uncertainty_us;
        },
        onSession: (id) => this.session.set(id),
        onDropped: (count) => {
          dropped += count;
        },
      },
    );
    const grabber = new Grabber(video, {
      fps,
      longerSide: LONGER_SIDE,
      wanted: () => connection.ready,
      onFrame: ({ frame, capturedMs, jpeg }) => {
        if (connection.send(frame, capturedMs, jpeg)) sent++;
      },
    });
    const counting = setInterval(() => {
      const sorted = latencies.splice(0).sort((a, b) => a - b);
      this.figures.set({
        fps: (sent * 1000) / COUNT_MS,
        latencyMs: sorted[sorted.length >> 1] ?? null,
        uncertaintyUs,
        dropped,
      });
      sent = 0;
    }, COUNT_MS);
    const sleep = keepAwake();
    connection.open();
    this.#stop = () => {
      clearInterval(counting);
      grabber.stop();
      connection.close();
      sleep();
      for (const track of media.getTracks()) track.stop();
      video.srcObject = null;
    };
  }
}
