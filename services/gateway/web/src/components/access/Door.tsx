import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useText } from "../../i18n";
import { enter, entry, heldBack } from "../../state/access";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";
import { TokenScreen } from "./TokenScreen";

interface Props {
  /** Whether a camera's token opens this view. */
  camera?: boolean;
  children: ComponentChildren;
}

/** Shows a view to those who may see it, and asks the others for a token. */
export function Door({ camera = false, children }: Props) {
  const { state } = useValue(entry);
  useEffect(() => void enter(camera), [camera]);
  if (state === "asking") return null;
  return (
    <>
      {state === "inside" ? children : <TokenScreen />}
      <HeldBack />
    </>
  );
}

/** Says that something waits because the gateway asked for a pause. */
function HeldBack() {
  const t = useText();
  const untilMs = useValue(heldBack);
  const [nowMs, setNowMs] = useState(Date.now());
  const over = nowMs >= untilMs;
  useEffect(() => {
    setNowMs(Date.now());
    if (untilMs === 0) return;
    const counting = setInterval(() => setNowMs(Date.now()), 500);
    const stop = setTimeout(() => clearInterval(counting), untilMs - Date.now() + 1000);
    return () => {
      clearInterval(counting);
      clearTimeout(stop);
    };
  }, [untilMs]);
  return (
    <div class="held-back" role="status">
      {!over && (
        <p>
          <Icon name="warning" />
          {t("problem.held", { s: Math.max(1, Math.ceil((untilMs - nowMs) / 1000)) })}
        </p>
      )}
    </div>
  );
}
