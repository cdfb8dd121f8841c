import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { CameraStatus } from "../api/messages";
import { arrange } from "../draw/layout";
import { useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { CameraTile } from "./CameraTile";
import { NoCamera } from "./NoCamera";

const GAP = 10;
const DEFAULT_ASPECT = 4 / 3;

/** Shapes seen, so that a camera that goes away keeps its place. */
const aspects = new Map<string, number>();

function aspectOf({ camera_id, width, height }: CameraStatus): number {
  if (width && height) aspects.set(camera_id, width / height);
  return aspects.get(camera_id) ?? DEFAULT_ASPECT;
}

/** The cameras of the session, as large as they fit. */
export function Stage({ model }: { model: SessionModel }) {
  const t = useText();
  const status = useValue(model.status);
  const connection = useValue(model.connection);
  const room = useRef<HTMLDivElement>(null);
  const size = useSize(room);
  const [enlarged, setEnlarged] = useState<string | null>(null);

  const all = status?.cameras ?? [];
  const one = all.find(({ camera_id }) => camera_id === enlarged);
  const shown = one ? [one] : all;
  const shapes = shown.map(aspectOf).join();
  const standing = useRef({ shapes: "", rows: 1 });
  const { rows, height } = useMemo(() => {
    const before = standing.current.shapes === shapes ? standing.current.rows : 1;
    const layout = arrange(shapes.split(",").map(Number), size.width, size.height, GAP, before);
    standing.current = { shapes, rows: layout.height > 0 ? layout.rows.length : 1 };
    return layout;
  }, [shapes, size.width, size.height]);

  const rowEnds = new Set(
    rows.map((_, row) => rows.slice(0, row + 1).reduce((sum, count) => sum + count, 0)),
  );
  return (
    <section
      class={connection.state === "live" ? "stage" : "stage stage-stale"}
      aria-label={t("stage.label")}
      ref={room}
    >
      {status !== null && all.length === 0 && <NoCamera sessionId={model.sessionId} />}
      {height > 0 && shown.length > 0 && (
        // One flat list, rows made by breaks: a tile that changes rows stays the same tile, its stream running.
        <div class="tiles">
          {shown.flatMap((camera, at) => [
            <CameraTile
              key={camera.camera_id}
              model={model}
              camera={camera}
              late={status?.alarms?.find(({ camera_id }) => camera_id === camera.camera_id) ?? null}
              width={Math.floor(height * aspectOf(camera))}
              height={height}
              enlarged={camera.camera_id === one?.camera_id}
              onEnlarge={all.length > 1 ? setEnlarged : null}
            />,
            rowEnds.has(at + 1) && at + 1 < shown.length && (
              <i key={`after ${camera.camera_id}`} class="row-end" />
            ),
          ])}
        </div>
      )}
    </section>
  );
}

/** Room for the images. Where the page scrolls (narrow screens) the height is ours to choose. */
function useSize(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const measured = element.current;
    if (measured === null) return;
    const measure = () => {
      const scrolls = getComputedStyle(measured).getPropertyValue("--stage-scrolls") === "1";
      setSize({
        width: measured.clientWidth,
        height: scrolls ? Math.max(260, innerHeight * 0.46) : measured.clientHeight,
      });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(measured);
    addEventListener("resize", measure);
    return () => {
      observer.disconnect();
      removeEventListener("resize", measure);
    };
  }, [element]);
  return size;
}
