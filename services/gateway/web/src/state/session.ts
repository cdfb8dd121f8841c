// One session as the page sees it: values for what people read, and the newest poses for what is drawn.

import type { Cue, Notice, Reference, Repetition } from "../api/documents";
import type { CameraPose, Poses, Score, ServerMessage, Stages, Status } from "../api/messages";
import { summary } from "../api/rest";
import { type Connection, SessionSocket } from "../api/socket";
import { sameWords } from "./cue";
import { ScoreHistory, Trace } from "./history";
import { wholeReference } from "./references";
import { Throttled, Value } from "./value";

const READ_MS = 120; // people read no number faster
const LATENCY_MS = 500;
const KEPT_POSES = 24;
const KEPT_REPETITIONS = 200;
const ASK_AGAIN_MS = 3000;
const UNSEEN_MS = 700; // one set without the person, from the one camera that sees nobody, is no sign that they left

export class SessionModel {
  readonly connection = new Value<Connection>({ state: "connecting" });
  readonly status = new Value<Status | null>(null);
  readonly score = new Value<Score | null>(null);
  readonly cue = new Value<Cue | null>(null);
  readonly notice = new Value<Notice | null>(null);
  /** How the newest set was made: frames as captured, or all cameras interpolated to one instant. */
  readonly kind = new Value<Poses["kind"]>("group");
  readonly repetitions = new Value<readonly Repetition[]>([]);
  /** Smoothed, so that the bars can be read. */
  readonly stages = new Value<Stages | null>(null);

  /** The reference the session follows, whole. */
  readonly reference = new Value<Reference | null>(null);
  /** Joint angles against it. */
  readonly trace = new Value<Trace | null>(null);
  readonly history = new ScoreHistory();

  /** Last poses of each camera, oldest first, for drawing: read on animation frames, never rendered from. */
  readonly poses = new Map<string, CameraPose[]>();
  /** Newest score, unthrottled, for drawing. */
  latestScore: Score | null = null;

  #wanted = "";
  #askAgainMs = 0;
  #seenMs = Number.NEGATIVE_INFINITY;

  readonly #score = new Throttled(this.score, READ_MS);
  readonly #stages = new Throttled(this.stages, LATENCY_MS);
  readonly #smoothed = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #socket: SessionSocket;

  constructor(readonly sessionId: string) {
    this.#socket = new SessionSocket(sessionId, {
      onMessage: (message) => this.#take(message),
      onConnection: (connection) => this.connection.set(connection),
    });
  }

  open(): void {
    this.#socket.open();
    void this.#loadRepetitions();
  }

  close(): void {
    this.#socket.close();
    this.#score.stop();
    this.#stages.stop();
  }

  /** Hears that there is something new to draw. */
  onDraw(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "poses":
        this.#takePoses(message);
        break;
      case "score":
        this.#takeScore(message);
        break;
      case "repetition":
        this.#addRepetitions([message]);
        this.trace.get()?.turnOver();
        break;
      case "advice":
        this.cue.set(message);
        break;
      case "status":
        this.#takeStatus(message);
        break;
    }
  }

  #takePoses(message: Poses): void {
    this.kind.set(message.kind);
    for (const camera of message.cameras) {
      const poses = this.poses.get(camera.camera_id) ?? [];
      poses.push(camera);
      if (poses.length > KEPT_POSES) poses.shift();
      this.poses.set(camera.camera_id, poses);
    }
    if (this.latestScore === null || this.latestScore.state === "no_reference")
      this.#smooth(message.stages_ms);
    this.#draw();
  }

  #takeScore(message: Score): void {
    const before = this.latestScore;
    if (
      before !== null &&
      (before.reference_id !== message.reference_id || before.repetitions > message.repetitions)
    )
      this.repetitions.set([]); // another reference, or a session begun anew: counting starts again
    this.latestScore = message;
    this.history.add(message);
    this.trace.get()?.add(message);
    void this.#want(message.reference_id, message.reference_version);
    const now = performance.now();
    if (message.state !== "not_visible") this.#seenMs = now;
    if (message.state !== "not_visible" || now - this.#seenMs > UNSEEN_MS) this.#score.set(message);
    if (!sameWords(this.cue.get(), message.cue)) this.cue.set(message.cue);
    if (this.notice.get()?.code !== message.notice?.code) this.notice.set(message.notice);
    this.#smooth(message.stages_ms);
    this.#draw();
  }

  #takeStatus(message: Status): void {
    this.status.set(message);
    const { reference_id, reference_version } = message.session;
    if (reference_id !== this.reference.get()?.reference_id) void this.#want(reference_id, reference_version);
    const present = new Set(message.cameras.map((camera) => camera.camera_id));
    for (const camera of this.poses.keys()) if (!present.has(camera)) this.poses.delete(camera);
    if (message.cameras.every((camera) => !camera.connected)) {
      this.latestScore = null;
      this.#score.set(null);
      this.notice.set(null);
      this.#smoothed.clear();
      this.#stages.set(null);
    }
  }

  #addRepetitions(more: readonly Repetition[]): void {
    const byNumber = new Map(this.repetitions.get().map((repetition) => [repetition.number, repetition]));
    for (const repetition of more) byNumber.set(repetition.number, repetition);
    const all = [...byNumber.values()].sort((a, b) => a.number - b.number);
    this.repetitions.set(all.slice(-KEPT_REPETITIONS));
  }

  /** Repetitions done before the page was opened. */
  async #loadRepetitions(): Promise<void> {
    try {
      this.#addRepetitions((await summary(this.sessionId)).repetitions);
    } catch {
      // Nothing scored yet, or scoring is away: what comes from now on is shown.
    }
  }

  /** Has the reference loaded once; whatever overtook it meanwhile wins. */
  async #want(id: string, version: number): Promise<void> {
    const wanted = `${id}@${version}`;
    if (wanted === this.#wanted || performance.now() < this.#askAgainMs) return;
    this.#wanted = wanted;
    const known = this.reference.get();
    if (known !== null && known.reference_id === id && known.version === version) return;
    let reference: Reference | null = null;
    try {
      if (id !== "") reference = await wholeReference(id, version);
    } catch {
      if (this.#wanted === wanted) this.#wanted = ""; // asked for again with a message to come
      this.#askAgainMs = performance.now() + ASK_AGAIN_MS;
    }
    if (this.#wanted !== wanted) return;
    this.reference.set(reference);
    this.trace.set(reference === null ? null : new Trace(reference));
  }

  #smooth(stages: Stages): void {
    for (const [stage, ms] of Object.entries(stages)) {
      const before = this.#smoothed.get(stage);
      this.#smoothed.set(stage, before === undefined ? ms : before + 0.1 * (ms - before));
    }
    for (const stage of this.#smoothed.keys()) if (!(stage in stages)) this.#smoothed.delete(stage);
    this.#stages.set(Object.fromEntries(this.#smoothed));
  }

  #draw(): void {
    for (const listener of this.#listeners) listener();
  }
}
