// The connection to a session: opens, resumes and keeps trying, so that its user only sees messages.

import { socket } from "./address";
import { Problem } from "./call";
import type { ServerMessage } from "./messages";
import { session } from "./rest";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8000;
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

export class SessionSocket {
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #attempts = 0;
  #lastHeard = 0;
  #lastEvent: number | null = null;
  #closed = false;

  constructor(
    readonly sessionId: string,
    private readonly listener: SessionListener,
  ) {}

  open(): void {
    addEventListener("online", this.#now);
    document.addEventListener("visibilitychange", this.#now);
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    removeEventListener("online", this.#now);
    document.removeEventListener("visibilitychange", this.#now);
    this.#drop();
  }

  /** Try at once rather than after the back-off: the network, or the person, is back. */
  #now = (): void => {
    if (this.#retry !== undefined && document.visibilityState === "visible") this.#connect();
  };

  #connect(): void {
    this.#drop();
    this.listener.onConnection({ state: "connecting" });
    const query: Record<string, string> = { topics: "poses,score,repetition,advice,status" };
    if (this.#lastEvent !== null) query.after = String(this.#lastEvent);
    const connection = new WebSocket(socket(query, "ws", "v1", "sessions", this.sessionId));
    this.#socket = connection;
    this.#lastHeard = performance.now();
    this.#watch = setInterval(() => this.#checkSilence(connection), 1000);
    connection.onmessage = ({ data }) => this.#hear(data);
    connection.onclose = ({ code }) => {
      if (this.#socket === connection) void this.#lost(code);
    };
  }

  #hear(data: unknown): void {
    this.#lastHeard = performance.now();
    if (typeof data !== "string") return;
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "hello") {
      this.#attempts = 0;
      this.listener.onConnection({ state: "live" });
    }
    if ("seq" in message) this.#lastEvent = Math.max(this.#lastEvent ?? 0, message.seq);
    this.listener.onMessage(message);
  }

  #checkSilence(connection: WebSocket): void {
    const silence = performance.now() - this.#lastHeard;
    if (silence > GIVE_UP_MS) void this.#lost(1006);
    else if (silence > SILENCE_MS && connection.readyState === WebSocket.OPEN)
      connection.send(JSON.stringify({ type: "ping", id: Math.round(silence) }));
  }

  async #lost(code: number): Promise<void> {
    this.#drop();
    if (this.#closed) return;
    if (code === 1000 || (await this.#isUnknown())) {
      this.listener.onConnection({ state: "gone" });
      return;
    }
    if (this.#closed) return;
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts++);
    const wait = longest * (0.5 + Math.random() / 2); // spread, so that a restarted gateway is not stormed
    this.listener.onConnection({ state: "waiting", retryAt: Date.now() + wait });
    this.#retry = setTimeout(() => this.#connect(), wait);
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

  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#retry = undefined;
    const connection = this.#socket;
    this.#socket = null;
    connection?.close();
  }
}
