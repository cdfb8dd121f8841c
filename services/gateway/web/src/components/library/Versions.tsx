import { useEffect, useState } from "preact/hooks";
import type { Reference } from "../../api/documents";
import { activate, exportAddress, versions } from "../../api/references";
import { useText } from "../../i18n";
import { date } from "../../i18n/format";
import { language } from "../../state/preferences";
import { loadReferences } from "../../state/references";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";

interface Props {
  reference: Reference;
  attempt: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** What became of a reference: each version with what it was made from, as a file, and the way back to it. */
export function Versions({ reference: { reference_id: id, version, name }, attempt }: Props) {
  const t = useText();
  const [all, setAll] = useState<readonly Reference[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a further version changes which one is the newest
  useEffect(() => void attempt(async () => setAll(await versions(id))), [id, version]);
  const use = (each: number) =>
    attempt(async () => {
      await activate(id, each);
      setAll(await versions(id));
      await loadReferences();
    });
  return (
    <section class="versions" aria-label={t("library.versions.of", { name })}>
      <h3>{t("library.versions")}</h3>
      <ul>
        {all.map((each) => (
          <li key={each.version}>
            <span class="version">
              <b>{t("library.version", { n: each.version })}</b>
              <Made reference={each} />
            </span>
            {each.active ? (
              <span class="chosen">
                <Icon name="check" />
                {t("library.version.active")}
              </span>
            ) : (
              <button type="button" class="button" onClick={() => use(each.version)}>
                {t("library.version.use")}
                <span class="visually-hidden"> {t("library.version", { n: each.version })}</span>
              </button>
            )}
            <a
              class="icon-button"
              href={exportAddress(id, each.version)}
              download
              aria-label={t("library.export.version", { n: each.version })}
              title={t("library.export.version", { n: each.version })}
            >
              <Icon name="download" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Made({ reference: { created_us, videos, silhouettes } }: { reference: Reference }) {
  const t = useText();
  const chosen = useValue(language);
  return (
    <small class="muted">
      {[
        date(created_us, chosen),
        t(videos === 1 ? "library.videos.one" : "library.videos", { n: videos }),
        ...(silhouettes ? [t("library.outlines")] : []),
      ].join(" · ")}
    </small>
  );
}
