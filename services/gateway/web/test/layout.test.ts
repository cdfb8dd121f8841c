import { describe, expect, test } from "vitest";
import { arrange } from "../src/draw/layout";

describe("the arrangement of cameras", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("shows all of %i and fits the room, whatever their shapes", (count) => {
    for (const shape of [9 / 16, 4 / 3, 16 / 9]) {
      for (const [width, height] of [
        [1400, 850],
        [350, 420],
        [900, 200],
      ] as const) {
        const aspects = Array.from({ length: count }, (_, i) => (i % 2 ? shape : 4 / 3));
        const layout = arrange(aspects, width, height, 10);
        expect(layout.rows.reduce((sum, row) => sum + row, 0)).toBe(count);
        expect(layout.rows.every((row) => row > 0)).toBe(true);
        expect(layout.height * layout.rows.length + 10 * (layout.rows.length - 1)).toBeLessThanOrEqual(
          height,
        );
        let from = 0;
        for (const row of layout.rows) {
          const wide = aspects
            .slice(from, from + row)
            .reduce((sum, aspect) => sum + aspect * layout.height, 0);
          expect(wide + 10 * (row - 1)).toBeLessThanOrEqual(width + 0.001);
          from += row;
        }
      }
    }
  });

  test("puts four wide pictures in two rows and four tall ones side by side", () => {
    expect(arrange([16 / 9, 16 / 9, 16 / 9, 16 / 9], 1400, 850, 10).rows).toEqual([2, 2]);
    expect(arrange([9 / 16, 9 / 16, 9 / 16, 9 / 16], 1400, 850, 10).rows).toEqual([4]);
  });

  test("stays as it is while the room changes by a line of text, and changes where it is worth it", () => {
    const pair = [4 / 3, 4 / 3];
    expect(arrange(pair, 823, 640, 10).rows).toEqual([2]);
    expect(arrange(pair, 823, 900, 10).rows).toEqual([1, 1]);
    expect(arrange(pair, 823, 600, 10, 2).rows).toEqual([1, 1]);
    expect(arrange(pair, 823, 400, 10, 2).rows).toEqual([2]);
  });
});
