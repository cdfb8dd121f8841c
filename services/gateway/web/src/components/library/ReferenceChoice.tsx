import { useCallback, useEffect, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Reference } from "../../api/documents";
import { deleteReference, stripAddress } from "../../api/references";
import { named, useText } from "../../i18n";
import { curveOf, Trace, widestJoints } from "../../state/history";
import { language } from "../../state/preferences";
import { loadReferences, wholeReference } from "../../state/references";
import { useValue } from "../../state/value";
import { axis, Chart, type Colours } from "../Chart";
import { Icon } from "../Icon";
import { describe } from "../ReferenceCard";
import { ReferenceFigure } from "../ReferenceFigure";
import { FurtherVideo } from "./FurtherVideo";
import { Howto } from "./Howto";
import { Strip } from "./Strip";
import { Versions } from "./Versions";

const CURVES = 3;

interface Props {
  reference: Reference;
  chosen: boolean;
  onChoose: () => void;
  attempt: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** One reference of the library: its figure, what it is, and on demand its curves and what can be done with it. */
export function ReferenceChoice({ reference, chosen, onChoose, attempt }: Props) {
  const t = useText();
  const [open, setOpen] = useState(false);
  const [whole, setWhole] = useState<Reference | null>(null);
  useEffect(() => {
    let wanted = true;
    wholeReference(reference.reference_id, reference.version).then(
      (loaded) => wanted && setWhole(loaded),
      () => undefined, // without its figure it can still be chosen
    );
    return () => {
      wanted = false;
    };
  }, [reference.reference_id, reference.version]);
  return (
    <li class={`choice${chosen ? " choice-chosen" : ""}`}>
      <div class="choice-line">
        <button type="button" class="choice-main" aria-pressed={chosen} onClick={onChoose}>
          <span class="thumbnail" aria-hidden="true">
            <Thumbnail reference={reference} whole={whole} />
          </span>
          <span class="choice-text">
            <b>{reference.name}</b>
            <small class="muted">{describe(reference, t)}</small>
          </span>
          {chosen && (
            <span class="chosen">
              <Icon name="check" />
              {t("reference.chosen")}
            </span>
          )}
        </button>
        <button
          type="button"
          class="icon-button"
          aria-expanded={open}
          aria-label={t("reference.details", { name: reference.name })}
          title={t("reference.details", { name: reference.name })}
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? "up" : "down"} />
        </button>
      </div>
      {open && whole !== null && <Details reference={whole} attempt={attempt} />}
    </li>
  );
}

/** A picture from the middle of the movement, or its figure where the sample left none. */
function Thumbnail({ reference, whole }: { reference: Reference; whole: Reference | null }) {
  const [missing, setMissing] = useState(false);
  if (reference.strip && !missing)
    return (
      <img
        src={stripAddress(reference.reference_id, reference.version)}
        alt=""
        loading="lazy"
        onError={() => setMissing(true)}
      />
    );
  return whole === null ? null : <ReferenceFigure reference={whole} />;
}

function Details({ reference, attempt }: { reference: Reference; attempt: Props["attempt"] }) {
  const chosen = useValue(language);
  return (
    <div class="choice-details">
      <Strip reference={reference} />
      {reference.remarks.map(({ text_ko, text_en }) => (
        <p key={text_en} class="muted">
          {chosen === "ko" ? text_ko : text_en}
        </p>
      ))}
      <Curves reference={reference} />
      <Howto exercise={reference.exercise} />
      <Versions reference={reference} attempt={attempt} />
      <FurtherVideo reference={reference} onBuilt={async () => void (await attempt(loadReferences))} />
      <Deletion reference={reference} attempt={attempt} />
    </div>
  );
}

function Deletion({ reference, attempt }: { reference: Reference; attempt: Props["attempt"] }) {
  const t = useText();
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      class="button button-danger"
      onClick={() => {
        if (!sure) setSure(true);
        else
          void attempt(async () => {
            await deleteReference(reference.reference_id);
            await loadReferences();
          });
      }}
      onBlur={() => setSure(false)}
    >
      {t(sure ? "reference.delete.sure" : "reference.delete")}
    </button>
  );
}

/** The angles of the joints that move most. */
function Curves({ reference }: { reference: Reference }) {
  const t = useText();
  const joints = widestJoints(new Trace(reference)).slice(0, CURVES);
  const names = joints.join();
  const options = useCallback(
    (colours: Colours): Omit<uPlot.Options, "width" | "height"> => {
      const strokes = [colours.accent, colours["fair-mark"], colours["good-mark"]];
      return {
        cursor: { show: false },
        legend: { show: false },
        padding: [8, 18, 0, 0],
        scales: { x: { time: false } },
        axes: [
          axis(colours, {
            size: 24,
            values: (_plot, splits) => splits.map((second) => t("seconds", { s: second })),
          }),
          axis(colours, { size: 40, values: (_plot, splits) => splits.map((degrees) => `${degrees}°`) }),
        ],
        series: [{}, ...strokes.map((stroke) => ({ stroke, width: 2, points: { show: false } }))],
      };
    },
    [t],
  );
  const data = useCallback((): uPlot.AlignedData => {
    const lines = names
      .split(",")
      .map((joint) => reference.curves.find(({ name }) => name === curveOf(joint))?.degrees ?? []);
    const seconds = Array.from({ length: reference.template_frames }, (_, row) => row / 30);
    return [
      seconds,
      ...lines,
      ...Array.from({ length: CURVES - lines.length }, () => []),
    ] as uPlot.AlignedData;
  }, [reference, names]);
  return (
    <>
      <Chart label={t("reference.curves")} options={options} data={data} subscribe={never} />
      <ul class="keys" aria-hidden="true">
        {joints.map((joint, at) => (
          <li key={joint} class={`key-${at}`}>
            {named(t, "joint", joint)}
          </li>
        ))}
      </ul>
    </>
  );
}

const never = () => () => undefined;
