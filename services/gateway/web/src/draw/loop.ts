// One animation frame for everything that draws, and only when something is new.

const waiting = new Set<() => void>();
let asked = false;

/** Calls `draw` on the next animation frame, once, however often it is asked for. */
export function drawSoon(draw: () => void): void {
  waiting.add(draw);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const draws = [...waiting];
    waiting.clear();
    for (const each of draws) each();
  });
}

export function drawNever(draw: () => void): void {
  waiting.delete(draw);
}

/** Makes a canvas as fine as the screen; returns its context scaled to CSS pixels, or null while it has no size. */
export function fitted(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const ratio = Math.min(2, devicePixelRatio);
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (width === 0 || height === 0) return null;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}
