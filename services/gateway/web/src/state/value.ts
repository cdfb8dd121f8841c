// The page's whole state layer: a value that tells who listens when it changes.

import { useLayoutEffect, useReducer } from "preact/hooks";

export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

export class Value<T> implements Readable<T> {
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(initial: T) {
    this.#value = initial;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value, and a new rendering whenever it changes. */
export function useValue<T>(value: Readable<T>): T {
  const [, render] = useReducer<number, void>((count) => count + 1, 0);
  const now = value.get();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `now` is only compared once, on subscribing
  useLayoutEffect(() => {
    const check = () => render();
    const stop = value.subscribe(check);
    if (!Object.is(value.get(), now)) check();
    return stop;
  }, [value]);
  return now;
}

/** Passes on at most one value each `interval_ms`, always ending on the newest: for numbers people read. */
export class Throttled<T> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending: { value: T } | null = null;

  constructor(
    readonly target: Value<T>,
    private readonly interval_ms: number,
  ) {}

  set(value: T): void {
    this.#pending = { value };
    this.#timer ??= setTimeout(this.#flush, 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = null;
  }

  #flush = (): void => {
    if (this.#pending === null) {
      this.#timer = undefined;
      return;
    }
    const { value } = this.#pending;
    this.#pending = null;
    this.target.set(value);
    this.#timer = setTimeout(this.#flush, this.interval_ms);
  };
}
