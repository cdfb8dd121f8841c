"""The evaluation as pictures, beside its JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from bench.eval.data import Floats
from bench.eval.localisation import CASES
from bench.eval.protocol import Judged, Scale
from bench.eval.report import Evaluation

COLOURS: Final = {"label_free": "tab:blue", "correct_only": "tab:orange", "full": "tab:green"}


def plots(found: Evaluation, out: Path) -> list[Path]:
    """Writes what there are figures for as `<out's name>-<what>.png`; returns the files."""
    report = found.report
    drawn = {
        "movements": _movements(report),
        "roc": _roc(found.judged, found.scales),
        "deviations": _deviations(found.judged, found.scales),
    }
    if report.get("localisation"):
        drawn["localisation"] = _localisation(report["localisation"])
    if (report.get("tracking") or {}).get("clean"):
        drawn["tracking"] = _tracking(report["tracking"])
    paths = []
    for name, figure in drawn.items():
        path = out.with_name(f"{out.stem}-{name}.png")
        figure.savefig(path, dpi=110, bbox_inches="tight")
        paths.append(path)
    return paths


def _movements(report: dict[str, Any]) -> Figure:
    """A table: a row a movement, coloured from the worst to the best of its column."""
    columns = [
        ("AUC within", "auc_within"),
        ("balanced acc.", "balanced_accuracy"),
        ("≥ 70", "passed"),
        ("< 70", "caught"),
    ]
    titles = [f"{title}\n{name.replace('_', ' ')}" for title, _ in columns for name in COLOURS]
    counts = [("correct", "obo"), ("correct", "exact"), ("incorrect", "obo"), ("incorrect", "exact")]
    titles += [f"counts {kind}\n{what}" for kind, what in counts]
    rows = []
    for part in report["by_movement"].values():
        row = [part[key][name] for _, key in columns for name in COLOURS]
        counted = part.get("repetitions", {})
        rows.append(
            [_number(value) for value in row] + [_number(counted.get(k, {}).get(w)) for k, w in counts]
        )
    values = np.array(rows, dtype=np.float64)
    figure = Figure(figsize=(15, 0.5 * len(rows) + 2))
    axes = figure.subplots()
    axes.imshow(values, aspect="auto", vmin=0.5, vmax=1.0, cmap="RdYlGn")
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            column, row, f"{value:.2f}" if np.isfinite(value) else "–", ha="center", va="center", fontsize=8
        )
    axes.set_xticks(range(len(titles)), titles, rotation=60, ha="left", fontsize=8)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(rows)), [f"movement {name}" for name in report["by_movement"]])
    return figure


def _roc(judged: list[Judged], scales: list[Scale]) -> Figure:
    """Mean over movements and references of the share caught at each share told wrong by mistake."""
    figure = Figure(figsize=(6, 6))
    axes = figure.subplots()
    grid = np.linspace(0.0, 1.0, 101)
    for scale in scales:
        curves = [_caught_at(good, bad, grid) for good, bad in _groups(judged, scale)]
        if curves:
            axes.plot(
                grid, np.mean(curves, axis=0), color=COLOURS[scale.name], label=scale.name.replace("_", " ")
            )
    axes.plot(grid, grid, color="lightgrey", linewidth=1)
    axes.set_xlabel("correct repetitions told wrong")
    axes.set_ylabel("incorrect repetitions told wrong")
    axes.set_title("clean landmarks, mean over movements and references")
    axes.legend(loc="lower right")
    return figure


def _groups(judged: list[Judged], scale: Scale) -> list[tuple[Floats, Floats]]:
    groups: dict[tuple[int, int], tuple[list[float], list[float]]] = {}
    for one, deviation in zip(judged, scale.deviation.tolist(), strict=True):
        good, bad = groups.setdefault((one.performance.movement, one.reference), ([], []))
        if np.isfinite(deviation):
            (good if one.performance.correct else bad).append(deviation)
    return [(np.array(good), np.array(bad)) for good, bad in groups.values() if good and bad]


def _caught_at(good: Floats, bad: Floats, grid: Floats) -> Floats:
    """Share of `bad` above the threshold that each share of `good` exceeds."""
    limits = np.quantile(good, 1.0 - grid)
    out: Floats = (bad[None] > limits[:, None]).mean(axis=1)
    return out


def _deviations(judged: list[Judged], scales: list[Scale]) -> Figure:
    """How far off correct and incorrect repetitions are."""
    correct = np.array([one.performance.correct for one in judged], dtype=bool)
    figure = Figure(figsize=(5 * max(1, len(scales)), 3.5))
    row = figure.subplots(1, max(1, len(scales)), squeeze=False)
    for axes, scale in zip(row[0], scales, strict=False):
        seen = np.isfinite(scale.deviation)
        if not seen.any():
            continue
        bins = np.linspace(0.0, float(np.quantile(scale.deviation[seen], 0.995)) + 1e-6, 40)
        for kind, colour in ((True, "tab:green"), (False, "tab:red")):
            values = scale.deviation[seen & (correct == kind)]
            axes.hist(values, bins, alpha=0.6, color=colour, label="correct" if kind else "incorrect")
        axes.set_title(f"{scale.name.replace('_', ' ')}: deviation")
        axes.legend()
    return figure


def _localisation(found: dict[str, Any]) -> Figure:
    """Right part and right phase by what is known beforehand."""
    figure = Figure(figsize=(9, 4))
    axes = figure.subplots()
    cases = [case for case in CASES if case in found]
    rows = np.arange(len(cases))
    bars = [("part", found, "tab:blue"), ("phase", found, "tab:cyan")]
    bars += [("part", found["moderate"], "tab:orange"), ("phase", found["moderate"], "wheat")]
    for index, (what, source, colour) in enumerate(bars):
        values = [_number(source.get(case, {}).get(what)) for case in cases]
        label = what + (", moderate noise" if source is not found else "")
        axes.barh(rows + 0.2 * index - 0.3, values, 0.2, color=colour, label=label)
    axes.axvline(0.95, color="tab:blue", linewidth=0.8)
    axes.axvline(0.90, color="tab:cyan", linewidth=0.8)
    axes.set_yticks(rows, [case.replace("_", " ") for case in cases])
    axes.set_xlim(0.5, 1.0)
    axes.invert_yaxis()
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return figure


def _tracking(found: dict[str, Any]) -> Figure:
    """Distribution of the position's error."""
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for noise, part in found.items():
        counts = np.array(part["histogram_20_ms"], dtype=np.float64)
        label = f"{noise}: mean {part['mean_error_ms']:.0f} ms"
        axes.step(20 * np.arange(len(counts)), counts / counts.sum(), where="post", label=label)
    axes.set_xlabel("error of the live position, ms of the reference (the last: 500 and more)")
    axes.set_ylabel("share of frames")
    axes.legend()
    return figure


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
