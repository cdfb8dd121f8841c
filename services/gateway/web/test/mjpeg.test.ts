import { describe, expect, test } from "vitest";
import { PartCutter } from "../src/api/mjpeg";

const encoder = new TextEncoder();

/** A stream as the gateway sends it: the opening boundary, then each part and the boundary after it. */
function stream(images: Uint8Array[]): Uint8Array {
  const bytes = [...encoder.encode("--komi-frame\r\n")];
  images.forEach((image, i) => {
    const header = `Content-Type: image/jpeg\r\nContent-Length: ${image.length}\r\nX-Capture-Time-Us: ${1000 + i}\r\n\r\n`;
    bytes.push(...encoder.encode(header), ...image, ...encoder.encode("\r\n--komi-frame\r\n"));
  });
  return Uint8Array.from(bytes);
}

// Images that hold what could be mistaken for a header or a boundary.
const IMAGES = [
  encoder.encode("first \r\n\r\n --komi-frame\r\n"),
  encoder.encode("\r\n\r\n"),
  Uint8Array.from({ length: 5000 }, (_, i) => i % 256),
];

describe("a Motion-JPEG stream", () => {
  test.each([1, 2, 3, 7, 64, 1000, 100_000])(
    "is cut into its images however it arrives: %i bytes at a time",
    (size) => {
      const cutter = new PartCutter();
      const whole = stream(IMAGES);
      const found: { time: string | undefined; jpeg: number[] }[] = [];
      for (let at = 0; at < whole.length; at += size) {
        const part = cutter.push(whole.subarray(at, at + size));
        if (part !== null) found.push({ time: part.headers.get("x-capture-time-us"), jpeg: [...part.jpeg] });
      }
      const all = IMAGES.map((image, i) => ({ time: String(1000 + i), jpeg: [...image] }));
      expect(found.at(-1)).toEqual(all.at(-1));
      if (size <= 64) expect(found).toEqual(all); // larger pieces complete several at once: only the newest counts
    },
  );

  test("without lengths is refused", () => {
    const cutter = new PartCutter();
    expect(() => cutter.push(encoder.encode("--x\r\nContent-Type: image/jpeg\r\n\r\nabc"))).toThrow(
      "without a length",
    );
  });

  test("that never begins a part is refused rather than kept", () => {
    const cutter = new PartCutter();
    expect(() => cutter.push(new Uint8Array(10_000).fill(65))).toThrow("no part header");
  });
});
