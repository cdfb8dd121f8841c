"""`python -m bench.eval DATA.npz OUT.json`: how well scoring tells right from wrong on people it has never seen.

With --quick only the score is measured, on clean landmarks. See docs/scoring.md.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.eval import protocol
from bench.eval.data import NOISES, load
from bench.eval.inject import score_meaning
from bench.eval.localisation import CASES, localisation
from bench.eval.protocol import Judged, Scale
from bench.eval.streams import repetition_counts, tracking
from services.scoring.errors import BadCalibration
from services.scoring.reference.template import Template

DESIGN = range(1, 6)
"""Movements scoring was designed on; the others are reported apart."""


def figures(judged: list[Judged], scales: list[Scale]) -> dict[str, Any]:
    """AUC, balanced accuracy and shares of every calibration."""
    rows: dict[str, Any] = {
        "auc_within": {},
        "auc_pooled": {},
        "balanced_accuracy": {},
        "passed": {},
        "caught": {},
    }
    for scale in scales:
        passed, caught = protocol.rates(judged, scale.wrong)
        rows["auc_within"][scale.name] = protocol.auc_within(judged, scale.deviation)
        rows["auc_pooled"][scale.name] = protocol.auc_pooled(judged, scale.deviation)
        rows["balanced_accuracy"][scale.name] = 0.5 * (passed + caught)
        rows["passed"][scale.name] = passed
        rows["caught"][scale.name] = caught
    return rows


def scales_of(judged: list[Judged], templates: dict[tuple[int, int], Template]) -> list[Scale]:
    """The calibrations that the file has enough people for."""
    scales = [protocol.label_free(judged, templates)]
    for calibrated in (protocol.correct_only, protocol.full):
        try:
            scales.append(calibrated(judged, templates))
        except BadCalibration as error:
            print(f"{calibrated.__name__}: left out, {error.message}", flush=True)
    return scales


def part(judged: list[Judged], scales: list[Scale], movements: range | set[int]) -> dict[str, Any]:
    """The same of some movements."""
    keep = np.array([one.performance.movement in movements for one in judged])
    chosen = [one for one, kept in zip(judged, keep, strict=True) if kept]
    return (
        figures(chosen, [Scale(s.name, s.deviation[keep], s.wrong[keep]) for s in scales]) if chosen else {}
    )


def baseline(judged: list[Judged]) -> dict[str, float]:
    """The usual recipe: mean cosine of the bones after dynamic time warping."""
    off = -np.array([one.cosine for one in judged])
    return {"auc_within": protocol.auc_within(judged, off), "auc_pooled": protocol.auc_pooled(judged, off)}


def evaluate(data: Path, *, quick: bool) -> dict[str, Any]:
    """Everything, as the JSON holds it."""
    dataset = load(data)
    performances = dataset.performances
    report: dict[str, Any] = {
        "data": data.name,
        "repetitions_in_file": len(performances),
        "too_short": dataset.too_short,
        "noise": {},
    }
    if dataset.too_short:
        print(f"left out, too short: {', '.join(dataset.too_short)}", flush=True)
    for noise in ["clean"] if quick else NOISES:
        began = time.monotonic()
        judged, templates = protocol.judge_all(performances, noise)
        scales = scales_of(judged, templates)
        found = {**figures(judged, scales), "baseline_cosine": baseline(judged)}
        if noise == "clean":
            report |= found
            report["design_movements"] = part(judged, scales, DESIGN)
            movements = {p.movement for p in performances}
            report["other_movements"] = part(judged, scales, movements - set(DESIGN))
            report["by_movement"] = {str(m): part(judged, scales, {m}) for m in sorted(movements)}
            if not quick:
                report["repetitions"] = repetition_counts(performances, templates)
        else:
            report["noise"][noise] = found
        print(f"{noise}: {len(judged)} judgements in {time.monotonic() - began:.0f} s", flush=True)
    if not quick:
        report["tracking"] = {noise: tracking(performances, noise) for noise in ("clean", "moderate")}
        report["localisation"] = {
            **localisation(performances, "clean"),
            "moderate": localisation(performances, "moderate"),
            "meaning": CASES,
        }
        report["score_meaning"] = score_meaning(performances)
    report["notes"] = (
        "Subjects are left out in turn; published results use other folds. A markers' body stands in for a pose model, "
        "seen from 45 degrees. Each repetition is compared with the reference of every other subject."
    )
    return report


def main() -> None:
    """Read the command line, evaluate, write, and print the summary."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval", description=__doc__)
    parser.add_argument("data", type=Path, help="file in the form of shared/data/ui-prmd")
    parser.add_argument("out", type=Path, help="JSON to write")
    parser.add_argument("--quick", action="store_true", help="the score on clean landmarks only")
    arguments = parser.parse_args()
    report = evaluate(arguments.data, quick=arguments.quick)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name in report["auc_within"]:
        print(
            f"{name:13s} AUC within {report['auc_within'][name]:.3f}, pooled {report['auc_pooled'][name]:.3f}; balanced "
            f"accuracy {report['balanced_accuracy'][name]:.3f} (passed {report['passed'][name]:.3f}, "
            f"caught {report['caught'][name]:.3f})"
        )
    print(f"mean cosine   AUC within {report['baseline_cosine']['auc_within']:.3f}")
    for case in CASES if "localisation" in report else ():
        clean, moderate = report["localisation"][case], report["localisation"]["moderate"][case]
        print(
            f"{case:29s} part {clean['part']:.3f}, phase {clean['phase']:.3f}; moderate noise: "
            f"part {moderate['part']:.3f}, phase {moderate['phase']:.3f}"
        )
    for name in ("repetitions", "tracking", "score_meaning"):
        if name in report:
            print(name, json.dumps(report[name]))


if __name__ == "__main__":
    main()
