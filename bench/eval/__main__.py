"""`python -m bench.eval DATA.npz OUT.json`: how well scoring tells right from wrong on people it has never seen.

Plots go beside OUT as PNG. With --calibrate OTHER.npz the calibrations are fitted on that file's people; with --quick only the
score is measured, on clean landmarks. See docs/scoring.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from bench.eval.data import BadData
from bench.eval.localisation import CASES
from bench.eval.report import Evaluation, evaluate


def main() -> int:
    """Read the command line, evaluate, write, and print the summary."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval", description=__doc__)
    parser.add_argument("data", type=Path, help="file in the form of shared/data/ui-prmd")
    parser.add_argument("out", type=Path, help="JSON to write; plots go beside it")
    parser.add_argument("--calibrate", type=Path, help="fit the calibrations on this file's people")
    parser.add_argument("--quick", action="store_true", help="the score on clean landmarks only")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one a core")
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = evaluate(
            arguments.data,
            quick=arguments.quick,
            calibrate=arguments.calibrate,
            processes=max(1, arguments.processes),
        )
    except BadData as error:
        print(error)
        return 2
    arguments.out.write_text(json.dumps(found.report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for path in _plots(found, arguments.out):
        print(f"wrote {path}")
    _summary(found.report)
    return 0


def _plots(found: Evaluation, out: Path) -> list[Path]:
    try:
        from bench.eval.plots import plots
    except ImportError:
        print("no plots: matplotlib is not installed (make setup)")
        return []
    return plots(found, out)


def _summary(report: dict[str, Any]) -> None:
    for noise, rows in (("clean", report), *report["noise"].items()):
        for name in rows["auc_within"]:
            print(
                f"{noise:9s}{name:13s} AUC within {_n(rows['auc_within'][name])}, pooled {_n(rows['auc_pooled'][name])}; "
                f"balanced accuracy {_n(rows['balanced_accuracy'][name])} (passed {_n(rows['passed'][name])}, "
                f"caught {_n(rows['caught'][name])})"
            )
        print(f"{noise:9s}mean cosine   AUC within {_n(rows['baseline_cosine']['auc_within'])}")
    if "localisation" not in report:
        return
    clean, moderate = report["localisation"], report["localisation"]["moderate"]
    sources = {"shipped": clean, "left out": clean["left_out"] or {}, "moderate noise": moderate}
    for case in CASES:
        found = {name: source.get(case, {}) for name, source in sources.items()}
        figures = (f"{name} {_n(one.get('part'))} / {_n(one.get('phase'))}" for name, one in found.items())
        print(f"{case:29s} part / phase: {', '.join(figures)}")
    repetitions = report["repetitions"]
    for name, rows in (
        ("all", repetitions),
        *((n, repetitions[n]) for n in ("design_movements", "other_movements")),
    ):
        for kind in ("correct", "incorrect"):
            figures = rows[kind]
            print(
                f"repetitions {name:17s}{kind:10s} OBO {_n(figures['obo'])}, MAE {_n(figures['mae'])}, "
                f"exact {_n(figures['exact'])}"
            )
    print(f"repetitions while idle: {repetitions['idle']}")
    for noise, figures in report["tracking"].items():
        if figures:
            print(
                f"tracking {noise:9s} mean {figures['mean_error_ms']:.1f} ms, p95 {figures['p95_error_ms']:.0f} ms, start within "
                f"5 frames {_n(figures['start_within_5_frames'])}, re-lock p95 {figures['relock_p95_s']} s"
            )
    print("score_meaning", json.dumps(report["score_meaning"]))


def _n(value: float | None) -> str:
    return "  – " if value is None else f"{value:.3f}"


if __name__ == "__main__":
    raise SystemExit(main())
