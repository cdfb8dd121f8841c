import { describe, expect, test, vi } from "vitest";
import type { CameraPose } from "../src/api/messages";
import type { Frame } from "../src/draw/frames";
import { Pairing } from "../src/draw/pairing";

const close = vi.fn();
const frame = (serverUs: number | null): Frame => ({ image: { close } as unknown as ImageBitmap, serverUs });
const pose = (serverUs: number): CameraPose => ({ server_us: serverUs }) as CameraPose;

describe("an image", () => {
  test("waits for the pose found in it, and is shown with that one", () => {
    const pairing = new Pairing();
    pairing.add(frame(2000), 0);
    expect(pairing.next([pose(1000)], 10)).toBeNull();
    const poses = [pose(1000), pose(2000), pose(3000)];
    expect(pairing.next(poses, 20)?.serverUs).toBe(2000);
    expect(pairing.poseOf(poses)?.server_us).toBe(2000);
  });

  test("that has waited long enough is shown without one: pictures go on when poses do not", () => {
    const pairing = new Pairing();
    pairing.add(frame(5_000_000), 0);
    const due = pairing.dueIn(0);
    expect(due).toBeGreaterThan(0);
    expect(pairing.next([pose(1000)], due ?? 0)?.serverUs).toBe(5_000_000);
    expect(pairing.poseOf([pose(1000)])).toBeNull(); // a pose of another movement is not drawn over it
  });

  test("of unknown time is shown at once, with the newest pose", () => {
    const pairing = new Pairing();
    pairing.add(frame(null), 0);
    expect(pairing.next([], 0)?.serverUs).toBeNull();
    expect(pairing.poseOf([pose(1), pose(2)])?.server_us).toBe(2);
  });

  test("that newer ones overtook is let go, never kept", () => {
    close.mockClear();
    const pairing = new Pairing();
    for (let i = 1; i <= 20; i++) pairing.add(frame(i * 1000), 0);
    expect(pairing.next([pose(50_000)], 1)?.serverUs).toBe(20_000);
    expect(close).toHaveBeenCalledTimes(19);
    expect(pairing.next([pose(50_000)], 2)).toBeNull();
  });
});
