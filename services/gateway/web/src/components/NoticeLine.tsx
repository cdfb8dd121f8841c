import type { Notice } from "../api/documents";
import { language } from "../state/preferences";
import type { SessionModel } from "../state/session";
import { useValue } from "../state/value";
import { Icon } from "./Icon";

/** Whether a notice is about the person's safety: it is said before any advice. */
export function isUrgent(notice: Notice | null): boolean {
  return notice?.code.startsWith("safety.") ?? false;
}

/** What else there is to know: to stop and rest, that the movement is not the reference's. */
export function NoticeLine({ model }: { model: SessionModel }) {
  const notice = useValue(model.notice);
  const urgent = isUrgent(notice);
  return (
    // Two regions that stay, so that a screen reader hears what comes into them.
    <div class="notice-lines">
      <div role="alert">{notice !== null && urgent && <Line notice={notice} kind="urgent" />}</div>
      <div role="status">{notice !== null && !urgent && <Line notice={notice} kind="known" />}</div>
    </div>
  );
}

function Line({ notice, kind }: { notice: Notice; kind: "urgent" | "known" }) {
  const chosen = useValue(language);
  return (
    <p class={`notice-line notice-${kind}`}>
      <Icon name="warning" />
      <span>{chosen === "ko" ? notice.text_ko : notice.text_en}</span>
    </p>
  );
}
