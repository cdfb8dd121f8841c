import { useEffect, useState } from "preact/hooks";
import { changeSession } from "../../api/rest";
import { useText } from "../../i18n";
import { loadReferences, referenceList, sentence } from "../../state/references";
import type { SessionModel } from "../../state/session";
import { useValue } from "../../state/value";
import { Dialog } from "../Dialog";
import { ImportButton } from "./ImportButton";
import { ReferenceChoice } from "./ReferenceChoice";
import { SampleForm } from "./SampleForm";

/** Chooses the session's reference, or builds a new one. */
export function ReferenceDialog({ model, onClose }: { model: SessionModel; onClose: () => void }) {
  const t = useText();
  const list = useValue(referenceList);
  const chosen = useValue(model.status)?.session.reference_id ?? "";
  const [problem, setProblem] = useState("");

  const attempt = async (work: () => Promise<unknown>) => {
    setProblem("");
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(sentence(error, t));
      return false;
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on opening
  useEffect(() => void attempt(loadReferences), []);

  const choose = (id: string) => attempt(() => changeSession(model.sessionId, { reference_id: id }));
  const chooseAndClose = async (id: string) => {
    if (await choose(id)) onClose();
  };

  return (
    <Dialog title={t("reference.dialog")} onClose={onClose} wide>
      <p class="muted">{t("reference.dialog.body")}</p>
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {list?.length === 0 && <p class="muted">{t("reference.empty")}</p>}
      <ul class="choices">
        {list?.map((reference) => (
          <ReferenceChoice
            key={reference.reference_id}
            reference={reference}
            chosen={reference.reference_id === chosen}
            onChoose={() => chooseAndClose(reference.reference_id)}
            attempt={attempt}
          />
        ))}
        {list !== null && list.length > 0 && (
          <li class={`choice${chosen === "" ? " choice-chosen" : ""}`}>
            <button
              type="button"
              class="choice-main"
              aria-pressed={chosen === ""}
              onClick={() => chooseAndClose("")}
            >
              <span class="choice-text">
                <b>{t("reference.no")}</b>
                <small class="muted">{t("reference.no.body")}</small>
              </span>
            </button>
          </li>
        )}
      </ul>
      <ImportButton attempt={attempt} />
      <SampleForm
        onBuilt={async (reference) => {
          await attempt(loadReferences);
          await choose(reference.reference_id);
        }}
      />
    </Dialog>
  );
}
