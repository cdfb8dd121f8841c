import type { SessionChange } from "../api/documents";
import { useText } from "../i18n";

const MOST_REPETITIONS = 1000;

/** What of a session this part of its settings is about. */
export type Guided = Required<
  Pick<SessionChange, "target_repetitions" | "allow_mirror" | "resample" | "silhouettes">
>;

interface Props {
  value: Guided;
  onChange: (value: Guided) => void;
}

/** How long it goes on, whether it may be followed as in a mirror, what is made of the cameras' pictures. */
export function Guidance({ value, onChange }: Props) {
  const t = useText();
  const set = (change: Partial<Guided>) => onChange({ ...value, ...change });
  return (
    <fieldset>
      <legend>{t("setup.guidance")}</legend>
      <div class="fields">
        <label>
          {t("setup.target")}
          <input
            type="number"
            inputMode="numeric"
            min={1}
            max={MOST_REPETITIONS}
            placeholder={t("setup.target.none")}
            value={value.target_repetitions ?? ""}
            onInput={({ currentTarget: { value: text } }) =>
              set({ target_repetitions: text === "" ? null : Number(text) })
            }
          />
        </label>
        {(["resample", "silhouettes"] as const).map((name) => (
          <label key={name} title={t(`setup.${name}.body`)}>
            {t(`setup.${name}`)}
            <select
              value={String(value[name])}
              onChange={({ currentTarget: { value: picked } }) =>
                set({ [name]: picked === "null" ? null : picked === "true" })
              }
            >
              {(["null", "true", "false"] as const).map((each) => (
                <option key={each} value={each}>
                  {t(`setup.${name}.${each}`)}
                </option>
              ))}
            </select>
          </label>
        ))}
      </div>
      <label class="option">
        <input
          type="checkbox"
          checked={value.allow_mirror}
          onChange={() => set({ allow_mirror: !value.allow_mirror })}
        />
        <span>
          <b>{t("setup.mirror")}</b>
          <small class="muted">{t("setup.mirror.body")}</small>
        </span>
      </label>
    </fieldset>
  );
}
