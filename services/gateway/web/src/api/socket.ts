// The connection to a session: opens, resumes and keeps trying, so that its user only sees messages.

import { socket } from "./address";
import { Problem } from "./call";
import type { ServerMessage } from "./messages";
import { Reconnecting } from "./reconnecting";
import { session } from "./rest";

const PAUSES = { firstMs: 250, longestMs: 8000 };
const SILENCE_MS = 4000; // status comes every second: after this long without anything, ask
const GIVE_UP_MS = 9000; // and after this long, connect anew: a sleeping laptop leaves dead sockets behind

export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "waiting"; retryAt: number }
  /** Not tried again: the session does not exist, or was deleted. */
  | { state: "gone" };

export interface SessionListener {
  onMessage(message: ServerMessage): void;
  onConnection(connection: Connection): void;
}

export class SessionSocket extends Reconnecting {
  #lastEvent: number | null = null;

  constructor(
    readonly sessionId: string,
    private readonly listener: SessionListener,
  ) {
    super(PAUSES);
  }

  protected override connecting(): string {
    this.listener.onConnection({ state: "connecting" });
    const query: Record<string, string> = { topics: "poses,score,repetition,advice,status" };
    if (this.#lastEvent !== null) query.after = String(this.#lastEvent);
    return socket(query, "ws", "v1", "sessions", this.sessionId);
  }

  protected override hear(data: unknown): void {
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "hello") {
      this.arrived();
      this.listener.onConnection({ state: "live" });
    }
    if ("seq" in message) this.#lastEvent = Math.max(this.#lastEvent ?? 0, message.seq);
    this.listener.onMessage(message);
  }

  protected override silent(silenceMs: number): void {
    if (silenceMs > GIVE_UP_MS) void this.lost(1006, true);
    else if (silenceMs > SILENCE_MS)
      this.socket?.send(JSON.stringify({ type: "ping", id: Math.round(silenceMs) }));
  }

  protected override async over(code: number): Promise<boolean> {
    const gone = code === 1000 || (await this.#isUnknown());
    if (gone) this.listener.onConnection({ state: "gone" });
    return gone;
  }

  protected override waiting(waitMs: number): void {
    this.listener.onConnection({ state: "waiting", retryAt: Date.now() + waitMs });
  }

  /** A browser does not say why a handshake failed, so the REST API is asked whether the session exists. */
  async #isUnknown(): Promise<boolean> {
    try {
      await session(this.sessionId);
      return false;
    } catch (error) {
      return error instanceof Problem && error.status === 404;
    }
  }
}
