import { useEffect, useState } from "preact/hooks";
import type { Bilingual, Exercise } from "../../api/exercises";
import { useText } from "../../i18n";
import { exerciseOf } from "../../state/exercises";
import { language } from "../../state/preferences";
import { useValue } from "../../state/value";

/** How an exercise is done: step by step, what goes wrong, what to take care of, where the camera stands. */
export function Howto({ exercise: name }: { exercise: string }) {
  const t = useText();
  const chosen = useValue(language);
  const [exercise, setExercise] = useState<Exercise | null>(null);
  useEffect(() => {
    let wanted = true;
    exerciseOf(name).then((found) => wanted && setExercise(found));
    return () => {
      wanted = false;
    };
  }, [name]);
  if (exercise === null) return null;
  return (
    <details class="howto">
      <summary>{t("library.howto", { name: exercise.name[chosen] })}</summary>
      <p>{exercise.summary[chosen]}</p>
      <Part title={t("library.steps")} lines={exercise.steps} ordered />
      <Part title={t("library.mistakes")} lines={exercise.mistakes} />
      <Part title={t("library.safety")} lines={exercise.safety} />
      <h3>{t("library.camera")}</h3>
      <p>{exercise.camera[chosen]}</p>
    </details>
  );
}

function Part({ title, lines, ordered = false }: { title: string; lines: Bilingual[]; ordered?: boolean }) {
  const chosen = useValue(language);
  if (lines.length === 0) return null;
  const items = lines.map((line) => <li key={line.en}>{line[chosen]}</li>);
  return (
    <>
      <h3>{title}</h3>
      {ordered ? <ol>{items}</ol> : <ul>{items}</ul>}
    </>
  );
}
