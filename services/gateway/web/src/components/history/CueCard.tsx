import type { GivenCue } from "../../api/reports";
import { useText } from "../../i18n";
import { clock } from "../../i18n/format";
import { language } from "../../state/preferences";
import { useValue } from "../../state/value";

/** What was said, in the order it was said. */
export function CueCard({ cues }: { cues: readonly GivenCue[] }) {
  const t = useText();
  const chosen = useValue(language);
  return (
    <section class="card said" aria-labelledby="cues-title">
      <header>
        <h3 id="cues-title">{t("report.cues")}</h3>
      </header>
      {cues.length === 0 ? (
        <p class="muted">{t("report.cues.none")}</p>
      ) : (
        <ol class="cues">
          {cues.map((cue) => {
            const tip = chosen === "ko" ? cue.tip_ko : cue.tip_en;
            return (
              <li key={`${cue.offset_s} ${cue.code}`} class={cue.praise ? "cue-praise" : "cue-mend"}>
                <span class="muted">{clock(cue.offset_s)}</span>
                <p>
                  {chosen === "ko" ? cue.text_ko : cue.text_en}
                  {tip !== "" && <small class="muted">{tip}</small>}
                </p>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
