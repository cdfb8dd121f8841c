import type { ComponentChildren } from "preact";
import { page } from "../api/address";
import { useText } from "../i18n";
import { Icon, type IconName } from "./Icon";
import { LanguageSwitch, ThemeSwitch } from "./Switches";

const VIEWS = [
  { view: "live", path: "", icon: "live" },
  { view: "history", path: "history/", icon: "history" },
  { view: "compare", path: "compare/", icon: "compare" },
] as const satisfies View[];

interface View {
  view: string;
  path: string;
  icon: IconName;
}

interface Props {
  /** The view it stands over; without one there is no way to the others. */
  current?: (typeof VIEWS)[number]["view"];
  /** Beside the brand. */
  beside?: ComponentChildren;
  children?: ComponentChildren;
}

/** The head of every view: brand, the way to the other views, and what the view adds. */
export function Masthead({ current, beside, children }: Props) {
  const t = useText();
  return (
    <header class="header">
      <a class="brand" href={page("")}>
        <img src={page("icon.svg")} alt="" width="28" height="28" />
        <h1>KOMI</h1>
      </a>
      {beside}
      {current !== undefined && (
        <nav class="nav" aria-label={t("nav.label")}>
          {VIEWS.map(({ view, path, icon }) => (
            <a key={view} href={page(path)} aria-current={view === current ? "page" : undefined}>
              <Icon name={icon} />
              {t(`nav.${view}`)}
            </a>
          ))}
        </nav>
      )}
      <span class="spacer" />
      {children}
      <ThemeSwitch />
      <LanguageSwitch />
    </header>
  );
}
