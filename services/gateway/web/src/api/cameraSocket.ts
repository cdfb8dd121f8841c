// WS /ws/v1/cameras/{id}: this device as a camera. Frames go out while there is credit, clock probes are answered at
// once, and a lost connection comes back by itself.

import { http, socket } from "./address";
import type { Clock, Stages } from "./messages";
import { Reconnecting } from "./reconnecting";

const PAUSES = { firstMs: 300, longestMs: 5000 };
const SILENCE_MS = 15_000; // probes come every few seconds: longer without any, and the connection is dead
const MOST_UNSENT_BYTES = 1 << 17; // more than a frame waiting in the browser: the network is behind
const HEADER_BYTES = 16;
const HEADER_VERSION = 1;

export interface PoseAnswer {
  type: "pose";
  epoch: number;
  frame: number;
  width: number;
  height: number;
  persons: number;
  image_px: number[] | null;
  visibility: number[] | null;
  latency_ms: number;
  stages_ms: Stages;
}

type CameraMessage =
  | { type: "ready"; camera_id: string; session_id: string; max_frame_bytes: number; credit: number }
  | { type: "credit"; frames: number }
  | { type: "probe"; id: number }
  | PoseAnswer
  | { type: "failed"; frame: number; reason: string; message: string }
  | { type: "session"; session_id: string }
  | ({ type: "clock" } & Clock)
  | { type: "dropped"; reason: string; count: number }
  | { type: "status"; connected: boolean; message: string | null };

export type Link =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "waiting" }
  /** The gateway is there and pose is not. */
  | { state: "troubled"; message: string }
  /** Somebody else streams under this name. Not tried again. */
  | { state: "taken" };

export interface CameraListener {
  onLink(link: Link): void;
  onPose(pose: PoseAnswer): void;
  onClock(clock: Clock): void;
  onSession(sessionId: string): void;
  onDropped(count: number): void;
}

export class CameraSocket extends Reconnecting {
  #credit = 0;
  #mostBytes = 0;

  /** `instance` tells this page from others of the same name: coming back, it takes its own place again. */
  constructor(
    readonly cameraId: string,
    private readonly query: { session: string; fps: string; instance: string },
    private readonly listener: CameraListener,
  ) {
    super(PAUSES);
  }

  /** Whether a frame would go out at once. Where not, a newer one will be worth more. */
  get ready(): boolean {
    const connection = this.socket;
    return this.#credit > 0 && connection !== null && connection.bufferedAmount < MOST_UNSENT_BYTES;
  }

  /** Sends one JPEG; false when it could not go out and is forgotten. `capturedMs`: performance.now() at its capture. */
  send(frame: number, capturedMs: number, jpeg: ArrayBuffer): boolean {
    const size = HEADER_BYTES + jpeg.byteLength;
    if (!this.ready || size > this.#mostBytes) return false;
    const message = new Uint8Array(size);
    const header = new DataView(message.buffer);
    header.setUint8(0, HEADER_VERSION);
    header.setUint16(2, 0, true); // epoch: the numbering never begins anew while the page lives
    header.setUint32(4, frame, true);
    header.setFloat64(8, capturedMs, true);
    message.set(new Uint8Array(jpeg), HEADER_BYTES);
    this.#credit--;
    this.socket?.send(message);
    return true;
  }

  protected override connecting(): string {
    this.#credit = 0; // comes with `ready`
    this.listener.onLink({ state: "connecting" });
    return socket(this.query, "ws", "v1", "cameras", this.cameraId);
  }

  protected override silent(silenceMs: number): void {
    if (silenceMs > SILENCE_MS) void this.lost(1006, true);
  }

  protected override hear(data: unknown, heardMs: number): void {
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as CameraMessage;
    switch (message.type) {
      case "probe":
        this.socket?.send(JSON.stringify({ type: "probe_reply", id: message.id, client_ms: heardMs }));
        break;
      case "credit":
        this.#credit += message.frames;
        break;
      case "ready":
        this.#credit = message.credit;
        this.#mostBytes = message.max_frame_bytes;
        this.arrived();
        this.listener.onSession(message.session_id);
        this.listener.onLink({ state: "live" });
        break;
      case "status":
        if (message.connected) this.listener.onLink({ state: "live" });
        else {
          this.#credit = 0; // comes anew with the next `ready`
          this.listener.onLink({ state: "troubled", message: message.message ?? "" });
        }
        break;
      case "pose":
        this.listener.onPose(message);
        break;
      case "clock":
        this.listener.onClock(message);
        break;
      case "session":
        this.listener.onSession(message.session_id);
        break;
      case "dropped":
        this.listener.onDropped(message.count);
        break;
    }
  }

  protected override async over(_code: number, opened: boolean, attempts: number): Promise<boolean> {
    // A browser does not say why a handshake failed. Three refusals in a row by a gateway that answers otherwise and
    // knows the camera: the name is another's. (One may be our own old connection, not yet given up.)
    const taken = !opened && attempts >= 3 && (await this.#taken());
    if (taken) this.listener.onLink({ state: "taken" });
    return taken;
  }

  protected override waiting(): void {
    this.listener.onLink({ state: "waiting" });
  }

  async #taken(): Promise<boolean> {
    try {
      const asked = await fetch(http("api", "v1", "cameras", this.cameraId));
      // Who may only be a camera may not ask for one: a gateway that lets them in and is ready refuses names alone.
      return asked.ok || (asked.status === 403 && (await fetch(http("readyz"))).ok);
    } catch {
      return false;
    }
  }
}
