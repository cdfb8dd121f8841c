import { useEffect, useState } from "preact/hooks";
import type { Camera, Mode } from "../api/documents";
import { changeSession, cameras as connectedCameras, endSession, startSession } from "../api/rest";
import { useText } from "../i18n";
import { sentence } from "../state/references";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { Dialog } from "./Dialog";
import { Guidance, type Guided } from "./Guidance";

const MOST_CAMERAS = 8;
const LONGEST_NAME = 64;

interface Props {
  model: SessionModel;
  openSession: (id: string) => void;
  onClose: () => void;
}

/** What the session is to do: which cameras, who sets the pace; and the way to another session. */
export function SessionDialog({ model, openSession, onClose }: Props) {
  const t = useText();
  const [problem, setProblem] = useState("");
  const attempt = async (work: () => Promise<void>) => {
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(sentence(error, t));
    }
  };
  return (
    <Dialog
      title={t("setup.title", { id: model.sessionId === "live" ? t("session.live") : model.sessionId })}
      onClose={onClose}
    >
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <Settings model={model} attempt={attempt} onClose={onClose} />
      <NewSession attempt={attempt} openSession={openSession} onClose={onClose} />
      {model.sessionId !== "live" && (
        <section class="sample">
          <h3>{t("setup.end")}</h3>
          <p class="muted">{t("setup.end.body")}</p>
          <button
            type="button"
            class="button button-danger"
            onClick={() =>
              attempt(async () => {
                await endSession(model.sessionId);
                openSession("live");
                onClose();
              })
            }
          >
            {t("setup.end.action")}
          </button>
        </section>
      )}
    </Dialog>
  );
}

type Attempt = (work: () => Promise<void>) => Promise<void>;

function Settings({
  model,
  attempt,
  onClose,
}: {
  model: SessionModel;
  attempt: Attempt;
  onClose: () => void;
}) {
  const t = useText();
  const settings = useValue(model.status)?.session;
  const [connected, setConnected] = useState<Camera[]>([]);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const [mode, setMode] = useState<Mode | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on opening
  useEffect(() => void attempt(async () => setConnected(await connectedCameras())), []);

  const [guided, setGuided] = useState<Guided | null>(null);

  const claimed = chosen ?? settings?.cameras ?? [];
  const pace = mode ?? settings?.mode ?? "user";
  const guidance = guided ?? {
    target_repetitions: settings?.target_repetitions ?? null,
    allow_mirror: settings?.allow_mirror ?? true,
    resample: settings?.resample ?? null,
    silhouettes: settings?.silhouettes ?? null,
  };
  const names = [...new Set([...connected.map(({ camera_id }) => camera_id), ...claimed])];
  const save = () =>
    attempt(async () => {
      await changeSession(model.sessionId, { cameras: claimed, mode: pace, ...guidance });
      onClose();
    });
  return (
    <form
      class="setup"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <fieldset>
        <legend>{t("setup.cameras")}</legend>
        <label class="option">
          <input type="radio" name="which" checked={claimed.length === 0} onChange={() => setChosen([])} />
          <span>
            <b>{t("setup.cameras.all")}</b>
            <small class="muted">{t("setup.cameras.all.body")}</small>
          </span>
        </label>
        {names.map((name) => {
          const elsewhere = connected.find(({ camera_id }) => camera_id === name)?.session_id;
          const checked = claimed.includes(name);
          return (
            <label key={name} class="option">
              <input
                type="checkbox"
                checked={checked}
                disabled={!checked && claimed.length >= MOST_CAMERAS}
                onChange={() =>
                  setChosen(checked ? claimed.filter((each) => each !== name) : [...claimed, name])
                }
              />
              <span>
                <b>{name}</b>
                {elsewhere !== undefined && elsewhere !== model.sessionId && (
                  <small class="muted">{t("setup.cameras.elsewhere", { id: elsewhere })}</small>
                )}
                {elsewhere === undefined && <small class="muted">{t("camera.away")}</small>}
              </span>
            </label>
          );
        })}
      </fieldset>
      <fieldset>
        <legend>{t("setup.mode")}</legend>
        {(["user", "video"] as const).map((each) => (
          <label key={each} class="option">
            <input type="radio" name="mode" checked={pace === each} onChange={() => setMode(each)} />
            <span>
              <b>{t(`setup.mode.${each}`)}</b>
              <small class="muted">{t(`setup.mode.${each}.body`)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <Guidance value={guidance} onChange={setGuided} />
      <button type="submit" class="button button-primary" disabled={settings === undefined}>
        {t("setup.save")}
      </button>
    </form>
  );
}

interface NewProps {
  attempt: Attempt;
  openSession: (id: string) => void;
  onClose: () => void;
}

function NewSession({ attempt, openSession, onClose }: NewProps) {
  const t = useText();
  const [name, setName] = useState("");
  const start = () =>
    attempt(async () => {
      const made = await startSession(name.trim() === "" ? {} : { session_id: name.trim() });
      openSession(made.session_id);
      onClose();
    });
  return (
    <section class="sample">
      <h3>{t("setup.new")}</h3>
      <p class="muted">{t("setup.new.body")}</p>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label>
          {t("setup.new.name")}
          <input
            type="text"
            maxLength={LONGEST_NAME}
            value={name}
            placeholder={t("setup.new.placeholder")}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button button-beside">
          {t("setup.new.action")}
        </button>
      </form>
    </section>
  );
}
