import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { call, Problem, whenHeldBack } from "../src/api/call";

const tooMany = () =>
  new Response(JSON.stringify({ status: 429, reason: "TOO_MANY_REQUESTS", detail: "slower" }), {
    status: 429,
    headers: { "Retry-After": "2" },
  });

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a request that was one too many waits as long as the gateway asks, says so, and goes out again", async () => {
  const answers = [tooMany(), Response.json({ cameras: [] })];
  const fetched = vi.fn(async () => answers.shift());
  vi.stubGlobal("fetch", fetched);
  const told = vi.fn();
  whenHeldBack(told);
  const asked = call("GET", "/api/v1/cameras");
  await vi.advanceTimersByTimeAsync(1900);
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(told).toHaveBeenCalledWith(Date.now() + 100);
  await vi.advanceTimersByTimeAsync(200);
  expect(await asked).toEqual({ cameras: [] });
  expect(fetched).toHaveBeenCalledTimes(2);
});

test("who is held back again and again is told after a few waits, and wrong guesses are not repeated at all", async () => {
  vi.stubGlobal("fetch", async () => tooMany());
  const asked = call("POST", "/api/v1/sessions", {}).catch((problem: unknown) => problem);
  await vi.runAllTimersAsync();
  expect(await asked).toMatchObject({ status: 429, retryAfterS: 2 });

  const guesses = vi.fn(async () =>
    Response.json(
      { status: 429, reason: "TOO_MANY_GUESSES" },
      { status: 429, headers: { "Retry-After": "2" } },
    ),
  );
  vi.stubGlobal("fetch", guesses);
  await expect(call("GET", "/api/v1/access")).rejects.toBeInstanceOf(Problem);
  expect(guesses).toHaveBeenCalledTimes(1);
});
