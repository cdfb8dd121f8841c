import { useEffect, useState } from "preact/hooks";
import { type Text, useText } from "../i18n";
import { en } from "../i18n/en";
import { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { Announcer } from "./Announcer";
import { CueBand } from "./CueBand";
import { Header } from "./Header";
import { Icon } from "./Icon";
import { LatencyCard } from "./LatencyCard";
import { MovementCard } from "./MovementCard";
import { NoticeLine } from "./NoticeLine";
import { ReferenceCard } from "./ReferenceCard";
import { RepetitionsCard } from "./RepetitionsCard";
import { ScoreCard } from "./ScoreCard";
import { Stage } from "./Stage";
import { SyncCard } from "./SyncCard";
import { TimelineCard } from "./TimelineCard";

function sessionOfAddress(): string {
  return new URLSearchParams(location.search).get("session") || "live";
}

export function App() {
  const [sessionId, setSessionId] = useState(sessionOfAddress);
  const [model, setModel] = useState<SessionModel | null>(null);

  useEffect(() => {
    const followAddress = () => setSessionId(sessionOfAddress());
    addEventListener("popstate", followAddress);
    return () => removeEventListener("popstate", followAddress);
  }, []);

  useEffect(() => {
    const next = new SessionModel(sessionId);
    setModel(next);
    next.open();
    return () => next.close();
  }, [sessionId]);

  const openSession = (id: string) => {
    const address = new URL(location.href);
    address.searchParams.set("session", id);
    history.pushState(null, "", address);
    setSessionId(id);
  };

  if (model === null) return null;
  return (
    <>
      <Header model={model} openSession={openSession} />
      <main class="layout">
        <Notices model={model} openSession={openSession} />
        <div class="stage-column">
          <Stage model={model} />
          <div class="advice">
            <NoticeLine model={model} />
            <CueBand model={model} />
          </div>
        </div>
        <aside class="panel">
          <ScoreCard model={model} />
          <RepetitionsCard model={model} />
          <TimelineCard model={model} />
          <ReferenceCard model={model} />
        </aside>
        <div class="details">
          <MovementCard model={model} />
          <LatencyCard model={model} />
          <SyncCard model={model} />
        </div>
      </main>
      <Announcer model={model} />
    </>
  );
}

/** What stands in the way, in sentences. */
function Notices({ model, openSession }: { model: SessionModel; openSession: (id: string) => void }) {
  const t = useText();
  const connection = useValue(model.connection);
  const problems = useValue(model.status)?.problems ?? [];
  if (connection.state === "gone")
    return (
      <div class="notice" role="alert">
        <Icon name="warning" />
        <p>{t("connection.gone.long", { id: model.sessionId })}</p>
        <button type="button" class="button" onClick={() => openSession("live")}>
          {t("connection.gone.action")}
        </button>
      </div>
    );
  if (connection.state === "waiting")
    return (
      <div class="notice" role="status">
        <Icon name="warning" />
        <p>{t("connection.waiting.long")}</p>
      </div>
    );
  if (connection.state !== "live" || problems.length === 0) return null;
  return (
    <div class="notice" role="status">
      <Icon name="warning" />
      <div>
        <p>{t("problem.title")}</p>
        {problems.map((problem) => (
          <Away key={problem} problem={problem} />
        ))}
      </div>
    </div>
  );
}

/** What it means that a part is away; the gateway's own words, which begin with its name, are for who runs KOMI. */
function Away({ problem }: { problem: string }) {
  const t = useText();
  const known = `away.${problem.split(" ", 1)[0]}`;
  if (known in en)
    return (
      <p class="muted" title={problem}>
        {t(known as Text)}
      </p>
    );
  return (
    <p class="muted" lang="en">
      {problem}
    </p>
  );
}
