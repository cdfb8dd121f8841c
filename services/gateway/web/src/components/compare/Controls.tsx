import { useText } from "../../i18n";
import type { Lockstep } from "../../replay/lockstep";
import { skeleton } from "../../state/preferences";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";

/** Play, step and scrub; keys do the same. */
export function Controls({ lockstep }: { lockstep: Lockstep }) {
  const t = useText();
  const frame = useValue(lockstep.frame);
  const playing = useValue(lockstep.playing);
  const ready = useValue(lockstep.ready);
  const speed = useValue(lockstep.speed);
  const drawn = useValue(skeleton) === "on";
  const { frames, fps } = lockstep.track;
  const where = `${t("compare.frame", { n: frame + 1, total: frames })} · ${t("seconds", { s: (frame / fps).toFixed(2) })}`;
  return (
    <div class="controls">
      <div class="controls-buttons">
        <button
          type="button"
          class="icon-button"
          aria-label={t("compare.back")}
          title={t("compare.back")}
          onClick={() => lockstep.step(-1)}
        >
          <Icon name="back" />
        </button>
        <button
          type="button"
          class="icon-button button-primary"
          disabled={!ready}
          aria-label={t(playing ? "compare.pause" : "compare.play")}
          title={t(playing ? "compare.pause" : "compare.play")}
          onClick={() => lockstep.toggle()}
        >
          <Icon name={playing ? "pause" : "play"} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t("compare.forth")}
          title={t("compare.forth")}
          onClick={() => lockstep.step(1)}
        >
          <Icon name="forth" />
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={speed !== 1}
          title={t("compare.half")}
          onClick={() => lockstep.setSpeed(speed === 1 ? 0.5 : 1)}
        >
          <span aria-hidden="true">{speed === 1 ? "1×" : "½×"}</span>
          <span class="visually-hidden">{t("compare.half")}</span>
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={drawn}
          onClick={() => skeleton.set(drawn ? "off" : "on")}
        >
          {t("compare.skeleton")}
        </button>
        <span class="where">
          {where}
          <Shown lockstep={lockstep} />
        </span>
      </div>
      <input
        type="range"
        class="scrub"
        min={0}
        max={frames - 1}
        step={1}
        value={frame}
        aria-label={t("compare.scrub")}
        aria-valuetext={where}
        onInput={(event) => lockstep.seek(event.currentTarget.valueAsNumber)}
      />
      <p class="muted keys-hint">{t("compare.keys")}</p>
    </div>
  );
}

/** A file whose frames are not evenly spaced shows another one than was asked for: that is said, not hidden. */
function Shown({ lockstep }: { lockstep: Lockstep }) {
  const t = useText();
  const frame = useValue(lockstep.frame);
  const shown = useValue(lockstep.shown);
  const playing = useValue(lockstep.playing);
  if (playing || shown === null || shown === frame) return null;
  return <span class="misfit">{t("compare.shown", { n: shown + 1 })}</span>;
}
