// Arranges camera images of any shape in rows of one height, as large as they fit.

export interface Layout {
  /** How many images each row holds. */
  rows: number[];
  /** Height of every image, CSS pixels. */
  height: number;
}

/** How much larger images must become for their rows to change: advice of one line more must not move the cameras about. */
const WORTH_MOVING = 1.25;

/**
 * Splits `aspects` (width / height, in order) into the number of rows that gives the largest images. Those that stand so far,
 * `standing` of them, stay unless others are clearly better.
 */
export function arrange(
  aspects: readonly number[],
  width: number,
  height: number,
  gap: number,
  standing = 1,
): Layout {
  let best: Layout = { rows: [aspects.length], height: 0 };
  let worth = 0;
  for (let rows = 1; rows <= aspects.length; rows++) {
    const counts = splitEvenly(aspects, rows);
    let from = 0;
    let fit = (height - gap * (rows - 1)) / rows;
    for (const count of counts) {
      const total = aspects.slice(from, from + count).reduce((sum, aspect) => sum + aspect, 0);
      fit = Math.min(fit, (width - gap * (count - 1)) / total);
      from += count;
    }
    const worthHere = rows === standing ? fit * WORTH_MOVING : fit;
    if (worthHere > worth) {
      best = { rows: counts, height: fit };
      worth = worthHere;
    }
  }
  return { rows: best.rows, height: Math.floor(best.height) };
}

/** Rows of about the same total width, in order. */
function splitEvenly(aspects: readonly number[], rows: number): number[] {
  const target = aspects.reduce((sum, aspect) => sum + aspect, 0) / rows;
  const counts: number[] = [];
  let count = 0;
  let filled = 0;
  aspects.forEach((aspect, i) => {
    const left = aspects.length - i;
    const rowsLeft = rows - counts.length;
    if (
      count > 0 &&
      rowsLeft > 1 &&
      (filled + aspect / 2 > target * (counts.length + 1) || left < rowsLeft)
    ) {
      counts.push(count);
      count = 0;
    }
    filled += aspect;
    count++;
  });
  counts.push(count);
  return counts;
}
