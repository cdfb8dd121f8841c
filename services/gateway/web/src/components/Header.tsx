import { useEffect, useState } from "preact/hooks";
import { sessions } from "../api/rest";
import { useText } from "../i18n";
import { entry } from "../state/access";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { AddCameraButton } from "./access/AddCamera";
import { Icon } from "./Icon";
import { Masthead } from "./Masthead";
import { SessionDialog } from "./SessionDialog";

interface Props {
  model: SessionModel;
  openSession: (id: string) => void;
}

export function Header({ model, openSession }: Props) {
  return (
    <Masthead current="live" beside={<Pills model={model} />}>
      <SessionPicker sessionId={model.sessionId} openSession={openSession} />
      <AddCameraButton sessionId={model.sessionId} />
      <SetupButton model={model} openSession={openSession} />
    </Masthead>
  );
}

function Pills({ model }: { model: SessionModel }) {
  const t = useText();
  const now = useValue(entry);
  const { state } = useValue(model.connection);
  const status = useValue(model.status);
  const troubled = state === "live" && (status?.problems.length ?? 0) > 0;
  return (
    <>
      <span class={`pill pill-${troubled ? "troubled" : state}`} role="status">
        <span class="dot" aria-hidden="true" />
        {t(`connection.${state}`)}
      </span>
      {now.state === "inside" && now.access?.scope === "view" && (
        <span class="pill pill-scope" title={t("problem.scope")}>
          {t("access.view")}
        </span>
      )}
    </>
  );
}

/** Shown only when there is a choice. */
function SessionPicker({ sessionId, openSession }: { sessionId: string; openSession: (id: string) => void }) {
  const t = useText();
  const [ids, setIds] = useState<string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another session may just have been started
  useEffect(() => {
    sessions().then(
      (found) => setIds(found.filter(({ state }) => state === "open").map(({ session_id }) => session_id)),
      () => setIds([]),
    );
  }, [sessionId]);
  const choices = ids.includes(sessionId) ? ids : [sessionId, ...ids];
  if (choices.length < 2) return null;
  return (
    <label class="picker">
      <span class="visually-hidden">{t("session.label")}</span>
      <select value={sessionId} onChange={(event) => openSession(event.currentTarget.value)}>
        {choices.map((id) => (
          <option key={id} value={id}>
            {id === "live" ? t("session.live") : id}
          </option>
        ))}
      </select>
    </label>
  );
}

function SetupButton({ model, openSession }: Props) {
  const t = useText();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label={t("setup.open")}
        title={t("setup.open")}
        onClick={() => setOpen(true)}
      >
        <Icon name="settings" />
      </button>
      {open && <SessionDialog model={model} openSession={openSession} onClose={() => setOpen(false)} />}
    </>
  );
}
