import type { Repetition } from "../../api/documents";
import { faultName, named, type Translate, useText } from "../../i18n";
import { percent, signed } from "../../i18n/format";
import { language } from "../../state/preferences";
import { useValue } from "../../state/value";
import { grade, PARTS, TELLING_DEGREES } from "../ScoreCard";

/** Every repetition with its parts, its worst joint, its faults and the advice given on it. */
export function RepetitionTable({ repetitions }: { repetitions: readonly Repetition[] }) {
  const t = useText();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="table" aria-label={t("report.repetitions.table")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("report.number")}</th>
            <th scope="col">{t("report.score")}</th>
            {PARTS.map((part) => (
              <th key={part} scope="col">
                {t(`sub.${part}`)}
              </th>
            ))}
            <th scope="col">{t("report.seconds")}</th>
            <th scope="col" title={t("report.motion.title")}>
              {t("report.motion")}
            </th>
            <th scope="col">{t("report.worst")}</th>
            <th scope="col">{t("report.faults")}</th>
            <th scope="col">{t("report.said")}</th>
          </tr>
        </thead>
        <tbody>
          {repetitions.map((done) => (
            <RepetitionRow key={done.number} done={done} t={t} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function RepetitionRow({ done, t }: { done: Repetition; t: Translate }) {
  const chosen = useValue(language);
  const worst = done.joint_errors.find(({ severity }) => severity > 1);
  return (
    <tr>
      <th scope="row">{done.number}</th>
      <td>
        <b class={`graded grade-${grade(done.score)}`}>{whole(done.score)}</b>
      </td>
      {PARTS.map((part) => (
        <td key={part}>{whole(done.sub_scores[part])}</td>
      ))}
      <td>{((done.end_us - done.start_us) / 1e6).toFixed(1)}</td>
      <td>{done.range_of_motion === null ? "–" : percent(done.range_of_motion)}</td>
      <td>
        {worst === undefined
          ? "–"
          : [
              named(t, "joint", worst.joint),
              worst.degrees === null || Math.abs(worst.degrees) < TELLING_DEGREES
                ? ""
                : `${signed(worst.degrees)}°`,
              done.worst_phase === null ? "" : t(`phase.${done.worst_phase}`),
            ]
              .filter((word) => word !== "")
              .join(" · ")}
      </td>
      <td>{done.faults.map((code) => faultName(t, code)).join(", ") || "–"}</td>
      <td class="wide">{done.cue === null ? "–" : chosen === "ko" ? done.cue.text_ko : done.cue.text_en}</td>
    </tr>
  );
}

const whole = (score: number | null) => (score === null ? "–" : Math.round(score));
