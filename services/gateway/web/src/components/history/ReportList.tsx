import { useEffect, useState } from "preact/hooks";
import { page } from "../../api/address";
import { reports, type ShortReport } from "../../api/reports";
import { useText } from "../../i18n";
import { duration, moment } from "../../i18n/format";
import { language } from "../../state/preferences";
import { plain, withQuery } from "../../state/query";
import { sentence } from "../../state/references";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";
import { grade } from "../ScoreCard";
import { ProgressCard } from "./ProgressCard";

const PAGE = 25;

type Open = (id: string) => void;

/** All reports, newest first, a page at a time. */
export function ReportList({ open }: { open: Open }) {
  const t = useText();
  const [found, setFound] = useState<readonly ShortReport[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const load = async (from: string | null) => {
    setBusy(true);
    setProblem("");
    try {
      const next = await reports(from, PAGE);
      setFound((known) => [...(from === null ? [] : (known ?? [])), ...next.reports]);
      setCursor(next.next_cursor);
    } catch (error) {
      setProblem(sentence(error, t));
    }
    setBusy(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, on opening
  useEffect(() => void load(null), []);

  return (
    <>
      <header class="view-head">
        <div>
          <h2>{t("history.title")}</h2>
          <p class="muted">{t("history.body")}</p>
        </div>
      </header>
      {problem !== "" && (
        <div class="problem failed" role="alert">
          <p>{problem}</p>
          <button type="button" class="button" disabled={busy} onClick={() => void load(cursor)}>
            {t("reference.again")}
          </button>
        </div>
      )}
      {found === null && problem === "" && <p class="muted">{t("history.loading")}</p>}
      {found?.length === 0 && <NoReports />}
      {found !== null && found.length > 0 && (
        <>
          <ProgressCard reports={found} />
          <ol class="reports" aria-label={t("history.list")}>
            {found.map((each) => (
              <ReportLine key={each.report_id} report={each} open={open} />
            ))}
          </ol>
          {cursor !== null && (
            <button type="button" class="button more" disabled={busy} onClick={() => void load(cursor)}>
              {t(busy ? "history.loading" : "history.more")}
            </button>
          )}
        </>
      )}
    </>
  );
}

function NoReports() {
  const t = useText();
  return (
    <section class="card blank">
      <Icon name="history" />
      <h3>{t("history.none")}</h3>
      <p class="muted">{t("history.none.body")}</p>
      <a class="button button-primary button-link" href={page("")}>
        {t("history.none.action")}
      </a>
    </section>
  );
}

function ReportLine({ report, open }: { report: ShortReport; open: Open }) {
  const t = useText();
  const chosen = useValue(language);
  const { mean_score, repetition_count } = report;
  return (
    <li>
      <a
        class="report-line"
        href={withQuery("report", report.report_id)}
        onClick={(event) => {
          if (!plain(event)) return;
          event.preventDefault();
          open(report.report_id);
        }}
      >
        <span class={`mark grade-${grade(mean_score)}`}>
          <b aria-hidden="true">{mean_score === null ? "–" : Math.round(mean_score)}</b>
          <span class="visually-hidden">
            {mean_score === null ? t("score.unknown") : t("score.of", { score: Math.round(mean_score) })}
          </span>
        </span>
        <span class="report-what">
          <b>{report.reference_name || t("history.unnamed")}</b>
          <time dateTime={new Date(report.start_us / 1000).toISOString()}>
            {moment(report.start_us, chosen)}
          </time>
        </span>
        <span class="report-facts">
          {report.open && <span class="chosen">{t("history.open")}</span>}
          <span>
            {t(repetition_count === 1 ? "reference.repetitions.one" : "reference.repetitions", {
              n: repetition_count,
            })}
          </span>
          <span>{duration(report.active_s, t)}</span>
          {report.session_id !== "live" && <span class="report-session">{report.session_id}</span>}
        </span>
      </a>
    </li>
  );
}
