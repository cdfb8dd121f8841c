"""Errors of counts by exercise: off by one at most (OBO), mean absolute share (MAE), exact."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.eval_video.counting import Counted


def document(counted: list[Counted]) -> dict[str, Any]:
    """All of it, as JSON takes it."""
    exercises = list(dict.fromkeys(one.label.exercise for one in counted))
    return {
        "all": shares(counted),
        "by_exercise": {
            name: shares(one for one in counted if one.label.exercise == name) for name in exercises
        },
        "files": [{**asdict(one.label), **_outcome(one)} for one in counted],
    }


def shares(some: Iterable[Counted]) -> dict[str, Any]:
    """OBO, MAE (|error| / truth, as in the literature) and exact, of the videos that could be judged; None: of none."""
    some = list(some)
    errors = [
        (abs(one.counted - one.label.repetitions), one.label.repetitions)
        for one in some
        if one.counted is not None
    ]
    return {
        "videos": len(some),
        "failed": len(some) - len(errors),
        "obo": _mean([float(error <= 1) for error, _ in errors]),
        "mae": _mean([error / max(due, 1) for error, due in errors]),
        "exact": _mean([float(error == 0) for error, _ in errors]),
    }


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _outcome(one: Counted) -> dict[str, Any]:
    return {"counted": one.counted, "score": one.score, "own_reference": one.own, "problem": one.problem}


def table(told: dict[str, Any]) -> str:
    """For people to read."""
    lines = [f"{'':24}{'videos':>8}{'failed':>8}{'OBO':>8}{'MAE':>8}{'exact':>8}"]
    for name, row in {**told["by_exercise"], "all": told["all"]}.items():
        figures = "".join(
            f"{row[key]:8.3f}" if row[key] is not None else f"{'-':>8}" for key in ("obo", "mae", "exact")
        )
        lines.append(f"{name or '(none)':24}{row['videos']:8}{row['failed']:8}{figures}")
    return "\n".join(lines)


def write(told: dict[str, Any], out: Path) -> None:
    """JSON, and a picture of counts against labels beside it as PNG."""
    from matplotlib.figure import Figure

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    figure = Figure(figsize=(5, 5))
    axes = figure.subplots()
    for name in told["by_exercise"]:
        rows = [row for row in told["files"] if row["exercise"] == name and row["counted"] is not None]
        axes.scatter(
            [row["repetitions"] for row in rows], [row["counted"] for row in rows], label=name or "(none)"
        )
    most = max([1, *(row[key] or 0 for row in told["files"] for key in ("repetitions", "counted"))])
    axes.plot([0, most], [0, most], color="grey", linewidth=0.8)
    axes.set_xlabel("repetitions in the labels")
    axes.set_ylabel("repetitions counted")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(out.with_suffix(".png"), dpi=110)
