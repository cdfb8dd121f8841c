import { useEffect } from "preact/hooks";
import { useText } from "../../i18n";
import { useQuery } from "../../state/query";
import { Masthead } from "../Masthead";
import { ReportList } from "./ReportList";
import { ReportView } from "./ReportView";

/** What was performed: the list of all reports, or the one that the address names. */
export function HistoryPage() {
  const t = useText();
  const [id, open] = useQuery("report");
  useEffect(() => {
    document.title = `${t("nav.history")} · KOMI`;
  }, [t]);
  return (
    <>
      <Masthead current="history" />
      <main class="view">
        {id === "" ? <ReportList open={open} /> : <ReportView key={id} id={id} open={open} />}
      </main>
    </>
  );
}
