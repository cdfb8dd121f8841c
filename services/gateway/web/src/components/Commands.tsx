import { useText } from "../i18n";
import { Copyable } from "./Copyable";

const COMMANDS = [
  { text: "empty.webcam", command: ".venv/bin/python -m services.capture --cameras front:0" },
  { text: "empty.video", command: ".venv/bin/python -m services.capture --cameras front:squat.mp4" },
  { text: "empty.demo", command: "make demo" },
] as const;

/** How a camera is connected from the command line. */
export function Commands() {
  const t = useText();
  return (
    <ul class="commands">
      {COMMANDS.map(({ text, command }) => (
        <li key={command}>
          <span>{t(text)}</span>
          <Copyable text={command} />
        </li>
      ))}
    </ul>
  );
}
