import { useEffect, useState } from "preact/hooks";
import type { Reference } from "../api/documents";
import { named, type Translate, useText } from "../i18n";
import { loadReferences, referenceList } from "../state/references";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { ReferenceDialog } from "./library/ReferenceDialog";

/** "Squat · 2 repetitions · 8 s" */
export function describe(reference: Reference, t: Translate): string {
  const parts = [named(t, "exercise", reference.exercise)];
  if (reference.kind === "hold") parts.push(t("reference.hold"));
  else if (reference.repetitions === 1) parts.push(t("reference.repetitions.one"));
  else parts.push(t("reference.repetitions", { n: reference.repetitions }));
  if (reference.fps > 0)
    parts.push(t("reference.seconds", { s: Math.max(1, Math.round(reference.frames / reference.fps)) }));
  if (reference.version > 1) parts.push(t("reference.version", { n: reference.version }));
  return parts.join(" · ");
}

export function ReferenceCard({ model }: { model: SessionModel }) {
  const t = useText();
  const [open, setOpen] = useState(false);
  const list = useValue(referenceList);
  const chosen = useValue(model.status)?.session.reference_id;
  const known = list?.find(({ reference_id }) => reference_id === chosen);

  // biome-ignore lint/correctness/useExhaustiveDependencies: somebody else may have built what is now chosen
  useEffect(() => {
    loadReferences().catch(() => undefined); // the connection says so; the dialog asks again and tells why
  }, [chosen]);

  const choose = chosen === undefined || chosen === "";
  return (
    <section class="card reference" aria-labelledby="reference-title">
      <div class="reference-now">
        <h2 id="reference-title">{t("reference.label")}</h2>
        {choose && <p class="reference-name muted">{t("reference.none")}</p>}
        {!choose && known === undefined && list !== null && <p class="muted">{t("reference.gone")}</p>}
        {known !== undefined && (
          <>
            <p class="reference-name">{known.name}</p>
            <p class="muted">{describe(known, t)}</p>
          </>
        )}
      </div>
      <button
        type="button"
        class={choose ? "button button-primary" : "button"}
        disabled={chosen === undefined}
        onClick={() => setOpen(true)}
      >
        {t(choose ? "reference.choose" : "reference.change")}
      </button>
      {open && <ReferenceDialog model={model} onClose={() => setOpen(false)} />}
    </section>
  );
}
