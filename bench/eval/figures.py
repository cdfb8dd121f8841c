"""AUC, balanced accuracy and shares of judged repetitions, by calibration and by movement."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from bench.eval import protocol
from bench.eval.protocol import Judged, Scale

CALIBRATIONS = ("label_free", "correct_only", "full")
"""Every figure that depends on the calibration has these three; null where a file has too few people for one."""


def figures(judged: list[Judged], scales: list[Scale]) -> dict[str, Any]:
    """Each measure by calibration. `passed`: correct repetitions of 70 or more; `caught`: incorrect ones below."""
    rows: dict[str, dict[str, float]] = {
        name: dict.fromkeys(CALIBRATIONS, math.nan)
        for name in ("auc_within", "auc_pooled", "balanced_accuracy", "passed", "caught")
    }
    for scale in scales:
        passed, caught = protocol.rates(judged, scale)
        rows["auc_within"][scale.name] = protocol.auc_within(judged, scale.deviation)
        rows["auc_pooled"][scale.name] = protocol.auc_pooled(judged, scale.deviation)
        rows["balanced_accuracy"][scale.name] = 0.5 * (passed + caught)
        rows["passed"][scale.name] = passed
        rows["caught"][scale.name] = caught
    return rows


def of_movements(judged: list[Judged], scales: list[Scale], movements: Collection[int]) -> dict[str, Any]:
    """The same of some movements, and how many judgements they are."""
    keep = np.array([one.performance.movement in movements for one in judged], dtype=bool)
    chosen = [one for one, kept in zip(judged, keep, strict=True) if kept]
    parts = [Scale(one.name, one.deviation[keep], one.wrong[keep]) for one in scales]
    return {**figures(chosen, parts), "judgements": len(chosen)}


def baseline(judged: list[Judged]) -> dict[str, float]:
    """The usual recipe: mean cosine of the bones after dynamic time warping."""
    off = -np.array([one.cosine for one in judged])
    return {"auc_within": protocol.auc_within(judged, off), "auc_pooled": protocol.auc_pooled(judged, off)}
