import { useState } from "preact/hooks";
import { importReference } from "../../api/references";
import { useText } from "../../i18n";
import { loadReferences } from "../../state/references";
import { Icon } from "../Icon";

interface Props {
  attempt: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Takes in a reference that was exported, here or elsewhere. */
export function ImportButton({ attempt }: Props) {
  const t = useText();
  const [imported, setImported] = useState("");
  const [busy, setBusy] = useState(false);
  const take = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    setImported("");
    setBusy(true);
    await attempt(async () => {
      const made = await importReference(file);
      await loadReferences();
      setImported(made.name);
    });
    setBusy(false);
    input.value = ""; // so that the same file can be chosen again
  };
  return (
    <div class="import">
      <label class={`button button-file${busy ? " button-busy" : ""}`}>
        <Icon name="upload" />
        {t("library.import")}
        <input
          type="file"
          accept=".komi"
          class="visually-hidden"
          disabled={busy}
          onChange={(event) => void take(event.currentTarget)}
        />
      </label>
      <span class="muted" role="status">
        {imported === "" ? t("library.import.body") : t("library.imported", { name: imported })}
      </span>
    </div>
  );
}
