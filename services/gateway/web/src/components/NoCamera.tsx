import { useText } from "../i18n";
import { AddCameraButton } from "./access/AddCamera";
import { Commands } from "./Commands";
import { Icon } from "./Icon";

/** What to do when there is nothing to see. */
export function NoCamera({ sessionId }: { sessionId: string }) {
  const t = useText();
  return (
    <div class="no-camera">
      <span class="no-camera-icon">
        <Icon name="camera" />
      </span>
      <h2>{t("empty.title")}</h2>
      <AddCameraButton sessionId={sessionId} label={t("empty.add")} />
      <p class="muted">{t("empty.body")}</p>
      <Commands demo />
      <p class="muted">{t("empty.waiting")}</p>
    </div>
  );
}
