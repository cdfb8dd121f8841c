import { named, useText } from "../../i18n";
import { percent, signed } from "../../i18n/format";
import type { Lockstep } from "../../replay/lockstep";
import { useValue } from "../../state/value";
import { TELLING_DEGREES } from "../ScoreCard";

/** Which joints are off at the frame that is shown, worst first. */
export function FrameErrors({ lockstep }: { lockstep: Lockstep }) {
  const t = useText();
  const pair = lockstep.track.pairAt(useValue(lockstep.frame));
  const wrong = (pair?.joint_errors ?? []).filter(({ severity }) => severity > 1);
  const nothing = pair === null || pair.sample_frame === null;
  return (
    <section class="card frame-errors" aria-labelledby="frame-errors-title">
      <header>
        <h3 id="frame-errors-title">{t("compare.errors")}</h3>
        {pair?.phase && <span class="state">{t(`phase.${pair.phase}`)}</span>}
      </header>
      <ul class="joints">
        {nothing && <li class="joints-none">{t("compare.errors.rest")}</li>}
        {!nothing && wrong.length === 0 && <li class="joints-none">{t("compare.errors.none")}</li>}
        {!nothing &&
          wrong.map(({ joint, degrees, severity }) => (
            <li key={joint} class={severity > 1.4 ? "joint-wrong" : "joint-edge"}>
              {named(t, "joint", joint)}
              {Math.abs(degrees) >= TELLING_DEGREES && <b>{`${signed(degrees)}°`}</b>}
            </li>
          ))}
      </ul>
      {pair !== null && pair.silhouette_overlap !== null && (
        <p class="muted">{t("compare.overlap.frame", { share: percent(pair.silhouette_overlap) })}</p>
      )}
    </section>
  );
}
