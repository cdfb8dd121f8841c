import { useRef } from "preact/hooks";
import type { SubScores } from "../api/documents";
import { faultName, named, useText } from "../i18n";
import { percent } from "../i18n/format";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";

export const PARTS = [
  "form",
  "range",
  "tempo",
  "symmetry",
  "stability",
] as const satisfies (keyof SubScores)[];
/** Less than this one camera cannot tell: the joint is named, not measured. */
export const TELLING_DEGREES = 5;
const RADIUS = 86;
const ARC = 2 * Math.PI * RADIUS * 0.75; // three quarters of a circle

/** Good, fair or poor; the same everywhere a score is coloured. */
export function grade(score: number | null): "good" | "fair" | "poor" | "none" {
  if (score === null) return "none";
  const shown = Math.round(score); // an 85 on screen is an 85
  return shown >= 85 ? "good" : shown >= 70 ? "fair" : "poor";
}

export function ScoreCard({ model }: { model: SessionModel }) {
  const t = useText();
  const message = useValue(model.score);
  const score = message?.score ?? null;
  const last = useRef<{ reference: string; score: number } | null>(null);
  if (message !== null && score !== null) last.current = { reference: message.reference_id, score };
  else if (message?.reference_id !== last.current?.reference) last.current = null;
  const state = message?.state ?? "waiting";
  return (
    <section class="card score" aria-labelledby="score-title">
      <header>
        <h2 id="score-title">{t("score.label")}</h2>
        <span class={`state state-${state}`}>
          {t(`state.${state}`)}
          {message?.phase && state === "tracking" && <span class="phase">{t(`phase.${message.phase}`)}</span>}
        </span>
      </header>
      <div class="score-body">
        <Dial score={score ?? last.current?.score ?? null} stale={score === null} />
        <SubScoreList parts={message?.sub_scores ?? null} />
      </div>
      <JointList model={model} />
      <Why model={model} />
    </section>
  );
}

/** The score now; between two movements the last one, faded. */
export function Dial({ score, stale = false }: { score: number | null; stale?: boolean }) {
  const t = useText();
  const rounded = score === null ? null : Math.round(score);
  const label = rounded === null ? t("score.unknown") : t("score.of", { score: rounded });
  return (
    <div class={`dial grade-${grade(score)}${stale ? " dial-stale" : ""}`} role="img" aria-label={label}>
      <svg viewBox="0 0 200 200" aria-hidden="true">
        <g transform="rotate(135 100 100)" fill="none" stroke-width="11" stroke-linecap="round">
          <circle class="dial-track" cx="100" cy="100" r={RADIUS} stroke-dasharray={`${ARC} 1000`} />
          {rounded !== null && rounded > 0 && (
            <circle
              class="dial-value"
              cx="100"
              cy="100"
              r={RADIUS}
              stroke-dasharray={`${(ARC * rounded) / 100} 1000`}
            />
          )}
        </g>
      </svg>
      <span class="dial-number">{rounded ?? "–"}</span>
    </div>
  );
}

export function SubScoreList({ parts }: { parts: SubScores | null }) {
  const t = useText();
  return (
    <dl class="parts">
      {PARTS.map((part) => {
        const value = parts?.[part] ?? null;
        return (
          <div key={part} class={`part grade-${grade(value)}`}>
            <dt>{t(`sub.${part}`)}</dt>
            <dd>{value === null ? "–" : Math.round(value)}</dd>
            <span class="part-bar" aria-hidden="true">
              <span style={{ transform: `scaleX(${(value ?? 0) / 100})` }} />
            </span>
          </div>
        );
      })}
    </dl>
  );
}

/** Explanations that are no part of the score: what limbs and outlines have in common with the reference's. */
function Why({ model }: { model: SessionModel }) {
  const t = useText();
  const message = useValue(model.score);
  const parts = [
    { key: "why.cosine", share: message?.cosine ?? null },
    { key: "why.overlap", share: message?.silhouette_overlap ?? null },
  ] as const;
  if (message === null || message.score === null || parts.every(({ share }) => share === null)) return null;
  return (
    <dl class="figures why">
      {parts.map(
        ({ key, share }) =>
          share !== null && (
            <div key={key} title={t(`${key}.title`)}>
              <dt>{t(key)}</dt>
              <dd>{percent(share)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** The joints beyond their tolerance, worst first; between two movements the faults of the last one, which its score counts. */
function JointList({ model }: { model: SessionModel }) {
  const t = useText();
  const message = useValue(model.score);
  const done = useValue(model.repetitions).at(-1);
  if (message === null || message.score === null) return null;
  const wrong = message.joint_errors.filter(({ severity }) => severity > 1).slice(0, 3);
  const faults = wrong.length > 0 || message.state === "tracking" ? [] : (done?.faults ?? []);
  return (
    <ul class="joints" aria-label={t(faults.length > 0 ? "report.faults" : "joints.label")}>
      {wrong.length + faults.length === 0 && <li class="joints-none">{t("joints.none")}</li>}
      {faults.map((code) => (
        <li key={code} class="joint-wrong">
          {faultName(t, code)}
        </li>
      ))}
      {wrong.map(({ joint, degrees, severity }) => (
        <li key={joint} class={severity > 1.4 ? "joint-wrong" : "joint-edge"}>
          {named(t, "joint", joint)}
          {Math.abs(degrees) >= TELLING_DEGREES && (
            <b>{`${degrees > 0 ? "+" : "−"}${Math.abs(Math.round(degrees))}°`}</b>
          )}
        </li>
      ))}
    </ul>
  );
}
