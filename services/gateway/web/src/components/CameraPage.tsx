import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Device, listCameras } from "../capture/device";
import { drawNever, drawSoon, fitted } from "../draw/loop";
import { drawSkeleton } from "../draw/skeleton";
import { type Text, type Translate, useText } from "../i18n";
import { OwnCamera } from "../state/ownCamera";
import { cameraChoice, cameraName } from "../state/preferences";
import { useValue } from "../state/value";
import { Icon } from "./Icon";
import { Masthead } from "./Masthead";

const FPS = 15;
const HIGHEST_DVH = 66; // so that the controls stay in sight
const LONGEST_NAME = 64;
const MOST_CAMERAS = 8;
const HANDHELD = matchMedia("(pointer: coarse)").matches;
const session = new URLSearchParams(location.search).get("session") || "live";

/** Turns this phone or laptop into a camera. */
export function CameraPage() {
  const t = useText();
  const video = useRef<HTMLVideoElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [aspect, setAspect] = useState(4 / 3);
  const [camera, draw] = useMemo(() => {
    const own = new OwnCamera(() => drawSoon(drawOwn));
    const drawOwn = () => drawOwnPose(overlay.current, own);
    return [own, drawOwn];
  }, []);
  const stage = useValue(camera.stage);
  const facing = useValue(camera.facing);
  const choice = useValue(cameraChoice);
  const link = useValue(camera.link);
  const remembered = useValue(cameraName);
  const [number, setNumber] = useState(1);
  const usual = (count: number) =>
    t(HANDHELD ? "own.phone" : "own.computer") + (count > 1 ? ` ${count}` : "");
  const name = remembered === "" ? usual(number) : remembered;
  const busy = stage === "opening" || stage === "streaming";

  useEffect(
    () => () => {
      camera.stop();
      drawNever(draw);
    },
    [camera, draw],
  );
  const start = (chosen: string, called = name.trim()) => {
    if (video.current !== null && called !== "")
      void camera.start(video.current, { name: called, session, choice: chosen, fps: FPS });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once each time the name turns out to be taken
  useEffect(() => {
    if (link.state !== "taken" || !busy || remembered !== "" || number >= MOST_CAMERAS) return;
    setNumber(number + 1); // the second phone here: nobody chose that name
    start(choice, usual(number + 1));
  }, [link]);
  const choose = (chosen: string) => {
    cameraChoice.set(chosen);
    if (busy) start(chosen);
  };

  return (
    <>
      <Masthead />
      <main class="own">
        <div
          class={`own-picture${facing === "environment" ? "" : " mirrored"}`}
          style={{ aspectRatio: String(aspect), width: `min(100%, ${(HIGHEST_DVH * aspect).toFixed(2)}dvh)` }}
        >
          <video
            ref={video}
            playsInline
            muted
            aria-label={t("own.preview")}
            onResize={({ currentTarget: { videoWidth, videoHeight } }) =>
              videoWidth > 0 && setAspect(videoWidth / videoHeight)
            }
          />
          <canvas class="overlay" ref={overlay} />
          {!busy && (
            <div class="own-invitation">
              <Icon name="camera" />
              <p>{t("own.invitation")}</p>
            </div>
          )}
        </div>
        <State camera={camera} t={t} />
        <form
          class="own-controls"
          onSubmit={(event) => {
            event.preventDefault();
            if (busy) camera.stop();
            else start(choice);
          }}
        >
          <label>
            {t("own.name")}
            <input
              type="text"
              required
              maxLength={LONGEST_NAME}
              value={name}
              disabled={busy}
              onInput={(event) => cameraName.set(event.currentTarget.value)}
            />
          </label>
          <CameraChoice choice={choice} onChoose={choose} live={stage === "streaming"} />
          <button type="submit" class={`button ${busy ? "" : "button-primary"}`}>
            {t(busy ? "own.stop" : "own.start")}
          </button>
        </form>
        <p class="muted">{t("own.privacy", { session: session === "live" ? t("session.live") : session })}</p>
      </main>
    </>
  );
}

function CameraChoice({
  choice,
  onChoose,
  live,
}: {
  choice: string;
  onChoose: (choice: string) => void;
  live: boolean;
}) {
  const t = useText();
  const [devices, setDevices] = useState<Device[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: names are told once a camera is open
  useEffect(() => {
    if (!HANDHELD) listCameras().then(setDevices, () => setDevices([]));
  }, [live]);
  const choices: Device[] = HANDHELD
    ? [
        { choice: "user", label: t("own.front") },
        { choice: "environment", label: t("own.back") },
      ]
    : devices;
  if (choices.length < 2) return null;
  return (
    <label>
      {t("own.which")}
      <select value={choice} onChange={(event) => onChoose(event.currentTarget.value)}>
        {choices.map(({ choice: each, label }) => (
          <option key={each} value={each}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** One line that says how it goes. */
function State({ camera, t }: { camera: OwnCamera; t: Translate }) {
  const stage = useValue(camera.stage);
  const link = useValue(camera.link);
  const refusal = useValue(camera.refusal);
  const { fps, latencyMs, uncertaintyUs } = useValue(camera.figures);
  if (stage === "refused")
    return (
      <p class="problem" role="alert">
        {t(`own.refused.${refusal ?? "missing"}`)}
      </p>
    );
  if (stage !== "streaming") return null;
  if (link.state === "taken")
    return (
      <p class="problem" role="alert">
        {t("own.taken")}
      </p>
    );
  return (
    <div class="own-state">
      <p class={`pill pill-${link.state}`} role="status">
        <span class="dot" aria-hidden="true" />
        {link.state === "troubled" ? link.message : t(`own.link.${link.state}` as Text)}
      </p>
      {link.state === "live" && (
        <dl>
          <div>
            <dt>{t("own.sent")}</dt>
            <dd>{t("camera.fps", { fps: Math.round(fps) })}</dd>
          </div>
          <div>
            <dt>{t("latency.label")}</dt>
            <dd>{latencyMs === null ? "–" : t("ms", { ms: Math.round(latencyMs) })}</dd>
          </div>
          <div>
            <dt>{t("sync.clock")}</dt>
            <dd>{uncertaintyUs === null ? "–" : `±${t("ms", { ms: (uncertaintyUs / 1000).toFixed(1) })}`}</dd>
          </div>
        </dl>
      )}
    </div>
  );
}

function drawOwnPose(canvas: HTMLCanvasElement | null, camera: OwnCamera): void {
  if (canvas === null) return;
  const context = fitted(canvas);
  const pose = camera.pose;
  if (context === null || pose?.image_px == null || pose.width === 0) return;
  const placement = { scale: canvas.clientWidth / pose.width, x: 0, y: 0 };
  const figure = { xy: pose.image_px, visibility: pose.visibility };
  drawSkeleton(context, figure, placement, new Map(), Math.max(2.5, canvas.clientWidth / 160));
}
