import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { enter, entry } from "../../state/access";
import { useValue } from "../../state/value";
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
  return state === "inside" ? children : <TokenScreen />;
}
