import { useText } from "../i18n";
import { percent } from "../i18n/format";

interface Props {
  text: string;
  /** 0 to 1; 0: not known yet. */
  fraction: number;
  /** Said instead of a percentage. */
  frames?: { done: number; total: number } | null;
}

/** How far something is, in words and as a bar. */
export function ProgressLine({ text, fraction, frames = null }: Props) {
  const t = useText();
  const known = fraction > 0;
  return (
    <div class="progress">
      <p>
        <span aria-live="polite">{text}</span>
        <span class="muted">
          {frames !== null && frames.total > 0 ? t("build.frames", frames) : known && percent(fraction)}
        </span>
      </p>
      <progress aria-label={text} max={1} {...(known ? { value: fraction } : {})} />
    </div>
  );
}
