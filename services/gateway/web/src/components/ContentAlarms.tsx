import { useState } from "preact/hooks";
import type { SessionChange } from "../api/documents";
import type { Alarm } from "../api/messages";
import { changeSession } from "../api/rest";
import { useText } from "../i18n";
import { sentence } from "../state/references";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { Icon } from "./Icon";

/** Cameras whose pictures show what happened later (or earlier) than their clocks say, and what puts them right. */
export function ContentAlarms({ model }: { model: SessionModel }) {
  const t = useText();
  const status = useValue(model.status);
  const [problem, setProblem] = useState("");
  if (status === null) return null;
  const alarms = status.alarms ?? [];
  const { lag_us: lags, apply_content_lag: automatic } = status.session;
  const open = alarms.filter(({ camera_id, applied }) => !applied && !(camera_id in lags));
  const byItself = alarms.filter(({ camera_id, applied }) => applied && !(camera_id in lags));
  const byHand = Object.entries(lags);

  const change = async (what: SessionChange) => {
    setProblem("");
    try {
      await changeSession(model.sessionId, what);
    } catch (error) {
      setProblem(sentence(error, t));
    }
  };
  const without = (camera: string) => Object.fromEntries(byHand.filter(([each]) => each !== camera));
  return (
    <div class="alarms">
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div role="status">
        {open.map((alarm) => (
          <div key={alarm.camera_id} class="alarm">
            <Icon name="warning" />
            <p>
              {t(alarm.lag_ms < 0 ? "alarm.early" : "alarm.late", told(alarm))}{" "}
              <span class="muted">{t("alarm.body")}</span>
            </p>
            <button
              type="button"
              class="button"
              onClick={() =>
                change({ lag_us: { ...lags, [alarm.camera_id]: Math.round(alarm.lag_ms * 1000) } })
              }
            >
              {t("alarm.apply")}
              <span class="visually-hidden"> {alarm.camera_id}</span>
            </button>
          </div>
        ))}
        {byHand.map(([camera, us]) => (
          <div key={camera} class="alarm alarm-applied">
            <Icon name="check" />
            <p>{t("alarm.applied", { camera, ms: Math.round(us / 1000) })}</p>
            <button type="button" class="button" onClick={() => change({ lag_us: without(camera) })}>
              {t("alarm.undo")}
              <span class="visually-hidden"> {camera}</span>
            </button>
          </div>
        ))}
        {byItself.map(({ camera_id: camera, applied_lag_ms }) => (
          <div key={camera} class="alarm alarm-applied">
            <Icon name="check" />
            <p>{t("alarm.automatic", { camera, ms: Math.round(applied_lag_ms ?? 0) })}</p>
          </div>
        ))}
      </div>
      {status.cameras.length > 1 && (
        <label class="check">
          <input
            type="checkbox"
            checked={automatic}
            onChange={() => change({ apply_content_lag: !automatic })}
          />
          {t("alarm.always")}
        </label>
      )}
    </div>
  );
}

function told({ camera_id, lag_ms, uncertainty_ms }: Alarm) {
  const spread = uncertainty_ms === null ? "" : ` (± ${Math.max(1, Math.round(uncertainty_ms))} ms)`;
  return { camera: camera_id, ms: Math.abs(Math.round(lag_ms)), spread };
}
