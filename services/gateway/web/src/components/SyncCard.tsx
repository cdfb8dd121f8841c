import type { CameraStatus } from "../api/messages";
import { named, type Translate, useText } from "../i18n";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { ContentAlarms } from "./ContentAlarms";

const GOOD_COMPLETENESS = 0.95;
const FAIR_COMPLETENESS = 0.8;

export function SyncCard({ model }: { model: SessionModel }) {
  const t = useText();
  const status = useValue(model.status);
  const cameras = status?.cameras ?? [];
  const sync = status?.sync ?? null;
  const kind = useValue(model.kind);
  return (
    <section class="card sync" aria-labelledby="sync-title">
      <header>
        <h2 id="sync-title">{t("sync.label")}</h2>
        {status !== null && status.viewers > 0 && (
          <span class="muted">
            {t(status.viewers === 1 ? "viewers.one" : "viewers", { n: status.viewers })}
          </span>
        )}
      </header>
      {cameras.length === 0 ? (
        <p class="muted">{t("sync.none")}</p>
      ) : (
        <>
          {sync !== null && (
            <p class="muted">
              {[
                t("sync.spread", { ms: (sync.spread_median_us / 1000).toFixed(1) }),
                t("sync.lateness", { ms: Math.round(sync.lateness_ms) }),
                t("sync.completeness", { percent: percent(sync.completeness) }),
                ...(kind === "resampled" ? [t("sync.resampled")] : []),
              ].join(" · ")}
            </p>
          )}
          <ContentAlarms model={model} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <section class="table" aria-label={t("sync.table")} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("sync.camera")}</th>
                  <th scope="col">{t("sync.rate")}</th>
                  <th scope="col">{t("sync.complete")}</th>
                  <th scope="col" title={t("sync.delay.title")}>
                    {t("sync.delay")}
                  </th>
                  <th scope="col" title={t("sync.clock.title")}>
                    {t("sync.clock")}
                  </th>
                  <th scope="col">{t("sync.drops")}</th>
                </tr>
              </thead>
              <tbody>
                {cameras.map((camera) => (
                  <CameraRow key={camera.camera_id} camera={camera} t={t} />
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </section>
  );
}

function CameraRow({ camera, t }: { camera: CameraStatus; t: Translate }) {
  const dropped = Object.entries(camera.dropped);
  return (
    <tr>
      <th scope="row">
        <i class={`dot dot-${health(camera)}`} aria-hidden="true" />
        <span class="camera-name" title={camera.camera_id}>
          {camera.camera_id}
        </span>
        {!camera.connected && <span class="muted"> {t("camera.away")}</span>}
      </th>
      <td>{camera.fps === null ? "–" : t("camera.fps", { fps: camera.fps.toFixed(1) })}</td>
      <td>{camera.completeness === null ? "–" : percent(camera.completeness)}</td>
      <td>
        {camera.delay_median_ms === null
          ? "–"
          : `${Math.round(camera.delay_median_ms)} / ${t("ms", { ms: Math.round(camera.delay_p99_ms ?? 0) })}`}
      </td>
      <td>
        {camera.clock === null ? "" : `±${(camera.clock.uncertainty_us / 1000).toFixed(2)} ms `}
        {camera.time_source !== null && <span class="muted">{named(t, "time", camera.time_source)}</span>}
      </td>
      <td title={dropped.map(([reason, count]) => `${named(t, "drop", reason)}: ${count}`).join("\n")}>
        {dropped.reduce((sum, [, count]) => sum + count, 0)}
      </td>
    </tr>
  );
}

function health({ connected, completeness }: CameraStatus): "good" | "fair" | "poor" | "none" {
  if (!connected) return "poor";
  if (completeness === null) return "none";
  return completeness >= GOOD_COMPLETENESS ? "good" : completeness >= FAIR_COMPLETENESS ? "fair" : "poor";
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`;
}
