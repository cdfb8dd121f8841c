import type { TrackingState } from "../api/messages";
import { useText } from "../i18n";
import { language, voice } from "../state/preferences";
import type { SessionModel } from "../state/session";
import { canSpeak, useSpokenAdvice } from "../state/speech";
import { useValue } from "../state/value";
import { Icon } from "./Icon";
import { isUrgent } from "./NoticeLine";

/** States in which what to do now matters more than the advice that stands. */
const FIRST: ReadonlySet<TrackingState | "waiting" | "away"> = new Set([
  "not_visible",
  "lost",
  "no_reference",
  "done",
  "waiting",
  "away",
]);

function VoiceSwitch() {
  const t = useText();
  const on = useValue(voice) === "on";
  return (
    <button
      type="button"
      class="icon-button voice"
      aria-label={t(on ? "voice.off" : "voice.on")}
      title={t(on ? "voice.off" : "voice.on")}
      aria-pressed={on}
      onClick={() => voice.set(on ? "off" : "on")}
    >
      <Icon name={on ? "speaker" : "silent"} />
    </button>
  );
}

/** One sentence, readable from where the person stands: the advice, or what to do now. */
export function CueBand({ model }: { model: SessionModel }) {
  const t = useText();
  const chosen = useValue(language);
  const cue = useValue(model.cue);
  const notice = useValue(model.notice);
  useSpokenAdvice(isUrgent(notice) ? notice : cue);
  const cameras = useValue(model.status)?.cameras ?? [];
  const scored = useValue(model.score)?.state ?? "waiting";
  const state = cameras.some(({ connected }) => connected) ? scored : "away";
  if (cameras.length === 0 || isUrgent(notice)) return null; // to stop comes before all advice
  const advice = cue !== null && !FIRST.has(state) ? cue : null;
  const kind = advice === null ? "hint" : advice.praise ? "praise" : "mend";
  const text = advice === null ? t(`hint.${state}`) : chosen === "ko" ? advice.text_ko : advice.text_en;
  const tip = advice === null ? "" : chosen === "ko" ? advice.tip_ko : advice.tip_en;
  return (
    <section class={`cue cue-${kind}`} aria-label={t("cue.label")}>
      <span class="cue-mark" aria-hidden="true">
        {kind === "praise" && <Icon name="check" />}
      </span>
      <p aria-live="polite" aria-atomic="true">
        {advice !== null && <span class="cue-kind">{t(advice.praise ? "cue.praise" : "cue.mend")}</span>}
        <span class="cue-text">{text}</span>
        {tip !== "" && <span class="cue-tip">{tip}</span>}
        {advice?.phrased && <small class="cue-phrased">{t("cue.phrased")}</small>}
      </p>
      {canSpeak && <VoiceSwitch />}
    </section>
  );
}
