import { useEffect, useState } from "preact/hooks";
import { Problem } from "../../api/call";
import { comparison as ask, type Comparison, type ComparisonJob } from "../../api/comparison";
import { followComparison } from "../../api/upload";
import { useText } from "../../i18n";
import { useQuery } from "../../state/query";
import { sentence } from "../../state/references";
import { Masthead } from "../Masthead";
import { CompareForm } from "./CompareForm";
import { ComparisonView } from "./ComparisonView";

/** The two files, which never leave this page but to be compared; null: not chosen, or forgotten by a reload. */
export interface Files {
  sample: File | null;
  attempt: File | null;
}

/** Two videos laid onto each other: choosing them, or the comparison that the address names. */
export function ComparePage() {
  const t = useText();
  const [id, open] = useQuery("compare");
  const [files, setFiles] = useState<Files>({ sample: null, attempt: null });
  const [found, setFound] = useState<{ id: string; comparison: Comparison } | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    document.title = `${t("nav.compare")} · KOMI`;
  }, [t]);

  useEffect(() => {
    setProblem(null);
    if (id === "" || id === found?.id) return;
    const left = new AbortController();
    const open = async () => {
      const job = await ask(id);
      if (job.state === "failed") throw Problem.of(job.problem, job.problem?.status ?? 0);
      const { comparison } = await followComparison(job, () => undefined, left.signal);
      if (comparison !== null && !left.signal.aborted) setFound({ id, comparison });
    };
    open().catch((error) => left.signal.aborted || setProblem(error));
    return () => left.abort();
  }, [id, found]);

  const done = ({ compare_id, comparison }: ComparisonJob, chosen: Files) => {
    if (comparison === null) return;
    setFiles(chosen);
    setFound({ id: compare_id, comparison });
    open(compare_id);
  };
  const again = () => {
    setFiles({ sample: null, attempt: null });
    open("");
  };
  return (
    <>
      <Masthead current="compare" />
      <main class="view">
        {id === "" && <CompareForm onDone={done} />}
        {id !== "" && found?.id === id && (
          <ComparisonView
            key={id}
            comparison={found.comparison}
            files={files}
            setFiles={setFiles}
            again={again}
          />
        )}
        {problem !== null && (
          <>
            <p class="problem" role="alert">
              {problem instanceof Problem && problem.status === 404
                ? t("compare.gone")
                : sentence(problem, t)}
            </p>
            <button type="button" class="button more" onClick={again}>
              {t("compare.again")}
            </button>
          </>
        )}
        {id !== "" && found?.id !== id && problem === null && <p class="muted">{t("history.loading")}</p>}
      </main>
    </>
  );
}
