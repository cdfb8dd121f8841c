// A WebSocket that comes back: at once when the network or the person does, else after a wait that grows.

export interface Pauses {
  firstMs: number;
  longestMs: number;
}

export abstract class Reconnecting {
  #socket: WebSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #attempts = 0;
  #lastHeard = 0;
  #closed = false;

  protected constructor(private readonly pauses: Pauses) {}

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

  /** Where to connect; what has to be told of that is told. */
  protected abstract connecting(): string;
  /** A message, and when it was heard by performance.now(). */
  protected abstract hear(data: unknown, heardMs: number): void;
  /** Every second: how long nothing was heard. */
  protected abstract silent(silenceMs: number): void;
  /** Whether to try no more, told to whom it concerns. `attempts`: how many were in vain before this one. */
  protected abstract over(code: number, opened: boolean, attempts: number): Promise<boolean>;
  /** Tried again in `waitMs`. */
  protected abstract waiting(waitMs: number): void;

  /** The connection while it is open. */
  protected get socket(): WebSocket | null {
    return this.#socket?.readyState === WebSocket.OPEN ? this.#socket : null;
  }

  /** The peer is there: the next wait is the shortest again. */
  protected arrived(): void {
    this.#attempts = 0;
  }

  /** Give the connection up, and try again. */
  protected async lost(code: number, opened: boolean): Promise<void> {
    this.#drop();
    if (this.#closed || (await this.over(code, opened, this.#attempts)) || this.#closed) return;
    const longest = Math.min(this.pauses.longestMs, this.pauses.firstMs * 2 ** this.#attempts++);
    const waitMs = longest * (0.5 + Math.random() / 2); // spread, so that a restarted gateway is not stormed
    this.waiting(waitMs);
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  /** Try at once rather than after the wait: the network, or the person, is back. */
  #now = (): void => {
    if (this.#retry !== undefined && document.visibilityState === "visible") this.#connect();
  };

  #connect(): void {
    this.#drop();
    const connection = new WebSocket(this.connecting());
    this.#socket = connection;
    this.#lastHeard = performance.now();
    this.#watch = setInterval(() => this.silent(performance.now() - this.#lastHeard), 1000);
    let opened = false;
    connection.onopen = () => {
      opened = true;
    };
    connection.onmessage = ({ data }) => {
      this.#lastHeard = performance.now();
      this.hear(data, this.#lastHeard);
    };
    connection.onclose = ({ code }) => {
      if (this.#socket === connection) void this.lost(code, opened);
    };
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
