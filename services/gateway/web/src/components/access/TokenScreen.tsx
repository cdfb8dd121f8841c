import { useEffect, useState } from "preact/hooks";
import { page } from "../../api/address";
import { Problem } from "../../api/call";
import { tryToken } from "../../api/rest";
import { type Translate, useText } from "../../i18n";
import { type Entry, entry, openWith, refusal } from "../../state/access";
import { useValue } from "../../state/value";
import { Icon } from "../Icon";
import { Masthead } from "../Masthead";

/** Asks for the token that opens this KOMI. */
export function TokenScreen() {
  const t = useText();
  const now = useValue(entry);
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const tried = new URLSearchParams(location.search).has("token");
  const [problem, setProblem] = useState(() => problemOf(now, tried, t));

  useEffect(() => {
    if (!tried) return;
    const address = new URL(location.href); // a token that opens nothing need not stay in sight
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  }, [tried]);

  const open = async () => {
    setBusy(true);
    setProblem("");
    try {
      await openWith(token.trim(), tryToken);
    } catch (error) {
      setBusy(false);
      setProblem(
        error instanceof Problem && error.status !== 0
          ? problemOf(refusal(error), true, t)
          : t("problem.unreachable"),
      );
    }
  };

  const camera = now.state === "camera";
  return (
    <>
      <Masthead />
      <main class="token">
        <Icon name="key" />
        <h2>{t(camera ? "token.camera" : "token.title")}</h2>
        <p>{t(camera ? "token.camera.body" : "token.body")}</p>
        {camera && (
          <a class="button button-primary button-link" href={page("camera/")}>
            {t("own.link")}
          </a>
        )}
        {problem !== "" && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void open();
          }}
        >
          <label>
            {t("token.label")}
            <input
              type="password"
              required
              autocomplete="current-password"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
          <button
            type="submit"
            class={`button ${camera ? "" : "button-primary"}`}
            disabled={busy || token.trim() === ""}
          >
            {t("token.open")}
          </button>
        </form>
      </main>
    </>
  );
}

function problemOf(now: Entry, tried: boolean, t: Translate): string {
  if (now.state !== "refused") return "";
  if (now.waitS > 0) return t("token.wait", { s: now.waitS });
  return tried || now.reason === "wrong" ? t("token.wrong") : "";
}
