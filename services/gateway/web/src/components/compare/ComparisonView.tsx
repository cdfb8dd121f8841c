import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Comparison } from "../../api/comparison";
import { useText } from "../../i18n";
import { percent } from "../../i18n/format";
import { Lockstep } from "../../replay/lockstep";
import { Track } from "../../replay/track";
import { language, skeleton } from "../../state/preferences";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";
import { Dial, SubScoreList } from "../ScoreCard";
import type { Files } from "./ComparePage";
import { Controls } from "./Controls";
import { CurveCard } from "./CurveCard";
import { FrameErrors } from "./FrameErrors";
import { FigurePane, VideoPane } from "./Panes";
import { RepetitionJumps } from "./RepetitionJumps";

interface Props {
  comparison: Comparison;
  files: Files;
  setFiles: (files: Files) => void;
  again: () => void;
}

/** What a comparison found: both side by side at the same moment of the movement, and what differs there. */
export function ComparisonView({ comparison, files, setFiles, again }: Props) {
  const t = useText();
  const chosen = useValue(language);
  const track = useMemo(() => new Track(comparison), [comparison]);
  const lockstep = useMemo(() => new Lockstep(track), [track]);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const { reference, cosine, silhouette_overlap, notices } = comparison;
  const stored = reference.reference_id !== "";
  return (
    <>
      <header class="view-head">
        <h2 ref={title} tabIndex={-1}>
          {stored ? reference.name : t("compare.result")}
        </h2>
        <button type="button" class="button button-link" onClick={again}>
          {t("compare.again")}
        </button>
      </header>
      {notices.map(({ code, text_ko, text_en }) => (
        <p key={code} class="said-notice">
          <Icon name="warning" />
          {chosen === "ko" ? text_ko : text_en}
        </p>
      ))}
      <div class="comparison">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: its keys are those of the controls within */}
        <div class="replay" onKeyDown={(event) => pressed(event, lockstep)}>
          <div class="panes">
            {stored ? (
              <FigurePane lockstep={lockstep} reference={reference} />
            ) : (
              <VideoPane
                lockstep={lockstep}
                side="sample"
                file={files.sample}
                onFile={(sample) => setFiles({ ...files, sample })}
              />
            )}
            <VideoPane
              lockstep={lockstep}
              side="attempt"
              file={files.attempt}
              onFile={(attempt) => setFiles({ ...files, attempt })}
            />
          </div>
          <Controls lockstep={lockstep} />
        </div>
        <div class="verdict">
          <section class="card" aria-labelledby="verdict-title">
            <header>
              <h3 id="verdict-title">{t("compare.score")}</h3>
            </header>
            <div class="score-body">
              <Dial score={comparison.score} />
              <SubScoreList parts={comparison.sub_scores} />
            </div>
            {cosine !== null && <p class="muted">{t("compare.cosine", { cosine: cosine.toFixed(3) })}</p>}
            {silhouette_overlap !== null && (
              <p class="muted">{t("compare.overlap", { share: percent(silhouette_overlap) })}</p>
            )}
          </section>
          <FrameErrors lockstep={lockstep} />
          <RepetitionJumps lockstep={lockstep} comparison={comparison} />
        </div>
        <CurveCard lockstep={lockstep} comparison={comparison} />
      </div>
    </>
  );
}

function pressed(event: KeyboardEvent, lockstep: Lockstep): void {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target instanceof HTMLButtonElement && (key === " " || key === "Enter")) return; // it is pressed itself
  const frames = event.shiftKey ? 10 : 1;
  if (key === "ArrowLeft") lockstep.step(-frames);
  else if (key === "ArrowRight") lockstep.step(frames);
  else if (key === "Home") lockstep.seek(0);
  else if (key === "End") lockstep.seek(lockstep.track.frames - 1);
  else if (key === " ") lockstep.toggle();
  else if (key.toLowerCase() === "s") skeleton.set(skeleton.get() === "on" ? "off" : "on");
  else if (key.toLowerCase() === "h") lockstep.setSpeed(lockstep.speed.get() === 1 ? 0.5 : 1);
  else return;
  event.preventDefault();
}
