import { useState } from "preact/hooks";
import { useText } from "../i18n";
import { Icon } from "./Icon";

const COMMANDS = [
  { text: "empty.webcam", command: ".venv/bin/python -m services.capture --cameras front:0" },
  { text: "empty.video", command: ".venv/bin/python -m services.capture --cameras front:squat.mp4" },
  { text: "empty.demo", command: "make demo" },
] as const;

/** What to do when there is nothing to see. */
export function NoCamera({ sessionId }: { sessionId: string }) {
  const t = useText();
  return (
    <div class="no-camera">
      <span class="no-camera-icon">
        <Icon name="camera" />
      </span>
      <h2>{t("empty.title")}</h2>
      <a
        class="button button-primary button-link"
        href={`./camera/?session=${encodeURIComponent(sessionId)}`}
      >
        {t("own.link")}
      </a>
      <p class="muted">{t("empty.body")}</p>
      <ul>
        {COMMANDS.map(({ text, command }) => (
          <li key={command}>
            <span>{t(text)}</span>
            <Command text={command} />
          </li>
        ))}
      </ul>
      <p class="muted">{t("empty.waiting")}</p>
    </div>
  );
}

function Command({ text }: { text: string }) {
  const t = useText();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="command">
      <code>{text}</code>
      {navigator.clipboard !== undefined && ( // missing outside secure contexts
        <button
          type="button"
          class="icon-button"
          aria-label={copied ? t("copied") : t("copy")}
          onClick={copy}
        >
          <Icon name={copied ? "check" : "copy"} />
        </button>
      )}
    </div>
  );
}
