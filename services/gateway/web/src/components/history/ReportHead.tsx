import { useEffect, useRef, useState } from "preact/hooks";
import { deleteReport, type Report, reportAddress } from "../../api/reports";
import { named, useText } from "../../i18n";
import { moment, stamp } from "../../i18n/format";
import { entry } from "../../state/access";
import { language } from "../../state/preferences";
import { sentence } from "../../state/references";
import { useValue } from "../../state/value";
import { Dialog } from "../Dialog";
import { Icon } from "../Icon";

interface Props {
  report: Report;
  onDeleted: () => void;
}

/** What it was and when, and what can be done with it. */
export function ReportHead({ report, onDeleted }: Props) {
  const t = useText();
  const chosen = useValue(language);
  const inside = useValue(entry);
  const [asking, setAsking] = useState(false);
  const mayDelete = inside.state !== "inside" || inside.access === null || inside.access.scope === "admin";
  const file = `${report.reference_name || report.report_id} ${stamp(report.start_us)}`;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []); // a screen reader hears that another view is there
  return (
    <header class="view-head report-head">
      <div>
        <h2 id="report-title" ref={title} tabIndex={-1}>
          {report.reference_name || t("history.unnamed")}
        </h2>
        <p class="muted">
          <time dateTime={new Date(report.start_us / 1000).toISOString()}>
            {moment(report.start_us, chosen)}
          </time>
          {report.exercise !== "" && ` · ${named(t, "exercise", report.exercise)}`}
          {` · ${t("reference.version", { n: report.reference_version })} · ${t("session.label")} ${report.session_id === "live" ? t("session.live") : report.session_id}`}
        </p>
        {report.open && (
          <p class="chosen" role="status">
            <Icon name="live" />
            {t("report.refresh")}
          </p>
        )}
      </div>
      <fieldset class="actions">
        <legend class="visually-hidden">{t("report.download")}</legend>
        <a
          class="button button-link"
          href={reportAddress(report.report_id, "repetitions.csv")}
          download={`${file} repetitions.csv`}
        >
          <Icon name="download" />
          {t("report.csv.repetitions")}
        </a>
        <a
          class="button button-link"
          href={reportAddress(report.report_id, "timeline.csv")}
          download={`${file} timeline.csv`}
        >
          <Icon name="download" />
          {t("report.csv.timeline")}
        </a>
        <a class="button button-link" href={reportAddress(report.report_id)} download={`${file}.json`}>
          <Icon name="download" />
          {t("report.json")}
        </a>
        <button type="button" class="button button-link" onClick={() => print()}>
          <Icon name="print" />
          {t("report.print")}
        </button>
        {mayDelete && (
          <button type="button" class="button button-link button-danger" onClick={() => setAsking(true)}>
            <Icon name="remove" />
            {t("report.delete")}
          </button>
        )}
      </fieldset>
      {asking && <DeleteDialog report={report} onClose={() => setAsking(false)} onDeleted={onDeleted} />}
    </header>
  );
}

function DeleteDialog({ report, onClose, onDeleted }: Props & { onClose: () => void }) {
  const t = useText();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const remove = async () => {
    setBusy(true);
    try {
      await deleteReport(report.report_id);
      onDeleted();
    } catch (error) {
      setBusy(false);
      setProblem(
        (error as { reason?: string }).reason === "REPORT_OPEN"
          ? t("report.delete.open")
          : sentence(error, t),
      );
    }
  };
  return (
    <Dialog title={t("report.delete.sure")} onClose={onClose}>
      <p>{t("report.delete.body", { name: report.reference_name || t("history.unnamed") })}</p>
      {problem !== "" && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="button" class="button button-danger" disabled={busy} onClick={() => void remove()}>
          {t("report.delete")}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {t("report.delete.keep")}
        </button>
      </div>
    </Dialog>
  );
}
