import { useEffect, useState } from "preact/hooks";
import { page } from "../../api/address";
import { Problem } from "../../api/call";
import { type Qr, qr } from "../../api/rest";
import { useText } from "../../i18n";
import { entry } from "../../state/access";
import { sentence } from "../../state/references";
import { useValue } from "../../state/value";
import { Commands } from "../Commands";
import { Copyable } from "../Copyable";
import { Dialog } from "../Dialog";
import { Icon } from "../Icon";

/** Opens the ways to bring a camera in: with words where it is given some, else as an icon. */
export function AddCameraButton({ sessionId, label }: { sessionId: string; label?: string }) {
  const t = useText();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class={label === undefined ? "icon-button" : "button button-primary button-link"}
        {...(label === undefined ? { "aria-label": t("add.open"), title: t("add.open") } : {})}
        onClick={() => setOpen(true)}
      >
        {label ?? <Icon name="camera" />}
      </button>
      {open && <AddCameraDialog sessionId={sessionId} onClose={() => setOpen(false)} />}
    </>
  );
}

function AddCameraDialog({ sessionId, onClose }: { sessionId: string; onClose: () => void }) {
  const t = useText();
  const [code, setCode] = useState<Qr | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    qr(`/ui/camera/?session=${encodeURIComponent(sessionId)}`).then(setCode, setProblem);
  }, [sessionId]);
  return (
    <Dialog title={t("add.open")} onClose={onClose}>
      <section class="add-phone">
        <h3>{t("add.phone")}</h3>
        {code !== null && <Code code={code} />}
        {problem !== null && <NoCode problem={problem} />}
      </section>
      <section class="sample">
        <h3>{t("add.device")}</h3>
        <a class="button button-primary button-link" href={page("camera/", { session: sessionId })}>
          {t("own.link")}
        </a>
      </section>
      <section class="sample">
        <h3>{t("add.program")}</h3>
        <Commands />
      </section>
      <Sharing sessionId={sessionId} origin={code === null ? "" : originOf(code.address)} />
    </Dialog>
  );
}

function Code({ code: { picture, address } }: { code: Qr }) {
  const t = useText();
  const [source, setSource] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(picture);
    setSource(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  const shown = withoutToken(address);
  return (
    <>
      <p class="muted">{t("add.phone.body")}</p>
      {address.startsWith("http:") && <p class="caution">{t("add.phone.insecure")}</p>}
      {source !== "" && <img class="qr" src={source} alt={t("add.phone.qr", { address: shown })} />}
      {address !== "" && <Copyable text={address} />}
    </>
  );
}

function NoCode({ problem }: { problem: unknown }) {
  const t = useText();
  if (problem instanceof Problem && problem.reason === "LOOPBACK_ONLY")
    return (
      <div class="caution">
        <p>{t("add.phone.loopback")}</p>
        <p>{t("add.phone.loopback.body")}</p>
      </div>
    );
  return (
    <p class="problem" role="alert">
      {t("add.phone.away")} {sentence(problem, t)}
    </p>
  );
}

/** Addresses to hand out: only an admin knows the tokens in them. */
function Sharing({ sessionId, origin }: { sessionId: string; origin: string }) {
  const t = useText();
  const now = useValue(entry);
  const access = now.state === "inside" ? now.access : null;
  if (!access?.view_token || !access.camera_token) return null;
  const at = (address: string) => (origin === "" ? address : address.replace(location.origin, origin));
  return (
    <section class="sample">
      <h3>{t("share.title")}</h3>
      <p class="muted">{t("share.body")}</p>
      <div class="commands">
        <h4>{t("share.view")}</h4>
        <Copyable text={at(page("", { session: sessionId, token: access.view_token }))} />
        <h4>{t("share.camera")}</h4>
        <Copyable text={at(page("camera/", { session: sessionId, token: access.camera_token }))} />
      </div>
    </section>
  );
}

function originOf(address: string): string {
  return address === "" ? "" : new URL(address).origin;
}

function withoutToken(address: string): string {
  return address.replace(/[?&]token=[^&]*/, "");
}
