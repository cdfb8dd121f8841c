import { useState } from "preact/hooks";
import { useText } from "../i18n";
import { Icon } from "./Icon";

const SHOWN_MS = 2000;

/** A line to take somewhere else: a command, an address. */
export function Copyable({ text }: { text: string }) {
  const t = useText();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
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
