import { type Text, useText } from "../i18n";
import { language, type Theme, theme } from "../state/preferences";
import { useValue } from "../state/value";
import { Icon, type IconName } from "./Icon";

const NEXT_THEME: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

export function ThemeSwitch() {
  const t = useText();
  const chosen = useValue(theme);
  const text = `${t("nav.theme")}: ${t(`theme.${chosen}` as Text)}`;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={text}
      title={text}
      onClick={() => theme.set(NEXT_THEME[chosen])}
    >
      <Icon name={THEME_ICON[chosen]} />
    </button>
  );
}

export function LanguageSwitch() {
  const t = useText();
  const chosen = useValue(language);
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{t("nav.language")}</legend>
      {(["ko", "en"] as const).map((each) => (
        <button
          key={each}
          type="button"
          lang={each}
          aria-pressed={chosen === each}
          onClick={() => language.set(each)}
        >
          {each === "ko" ? "한국어" : "English"}
        </button>
      ))}
    </fieldset>
  );
}
