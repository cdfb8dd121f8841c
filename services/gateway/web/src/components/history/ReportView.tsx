import { useEffect, useState } from "preact/hooks";
import { Problem } from "../../api/call";
import { report as ask, type Report } from "../../api/reports";
import { useText } from "../../i18n";
import { plain, withQuery } from "../../state/query";
import { sentence } from "../../state/references";
import { Icon } from "../Icon";
import { CueCard } from "./CueCard";
import { EffortCard } from "./EffortCard";
import { ErrorCard } from "./ErrorCard";
import { PerformanceCard } from "./PerformanceCard";
import { RepetitionCard } from "./RepetitionCard";
import { ReportHead } from "./ReportHead";

const FOLLOW_MS = 3000;

interface Props {
  id: string;
  open: (id: string) => void;
}

/** One report; while its performance goes on it is asked for again and again. */
export function ReportView({ id, open }: Props) {
  const t = useText();
  const [shown, setShown] = useState<Report | null>(null);
  const [problem, setProblem] = useState<unknown>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;
    const load = async () => {
      let again = true; // a gateway that is away for a moment comes back
      try {
        const found = await ask(id);
        if (left) return;
        setShown(found);
        setProblem(null);
        again = found.open;
      } catch (error) {
        if (left) return;
        setProblem(error);
        again = !(error instanceof Problem && error.status === 404);
      }
      if (again) timer = setTimeout(load, FOLLOW_MS);
    };
    void load();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [id]);

  const gone = problem instanceof Problem && problem.status === 404;
  return (
    <>
      <p class="back">
        <a
          href={withQuery("report", "")}
          onClick={(event) => {
            if (!plain(event)) return;
            event.preventDefault();
            open("");
          }}
        >
          <Icon name="left" />
          {t("report.back")}
        </a>
      </p>
      {problem !== null && (
        <p class="problem" role="alert">
          {gone ? t("report.gone") : sentence(problem, t)}
        </p>
      )}
      {shown === null && problem === null && <p class="muted">{t("history.loading")}</p>}
      {shown !== null && !gone && (
        <article class="report" aria-labelledby="report-title">
          <ReportHead report={shown} onDeleted={() => open("")} />
          <EffortCard report={shown} />
          <PerformanceCard report={shown} />
          <ErrorCard errors={shown.top_errors} />
          <RepetitionCard repetitions={shown.repetitions} />
          <CueCard cues={shown.cues} />
        </article>
      )}
    </>
  );
}
