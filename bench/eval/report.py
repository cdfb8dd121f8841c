"""Everything that is measured, as the JSON holds it. What can be measured apart runs in processes of its own."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from bench.eval import protocol
from bench.eval.data import DESIGN, NOISES, BadData, Performance, load
from bench.eval.figures import baseline, figures, of_movements
from bench.eval.inject import score_meaning
from bench.eval.localisation import CASE, MEANING, localisation
from bench.eval.protocol import Judged, Scale
from bench.eval.streams import count_figures, counts, followed, tracking_figures
from bench.eval.transfer import transferred

NOTES: Final = (
    "Subjects are left out in turn; published results use other folds. A markers' body stands in for a pose model, "
    "seen from 45 degrees. Each repetition is compared with the reference of every other subject. Null: the file holds "
    "too little for this figure."
)


@dataclass(frozen=True)
class Evaluation:
    """What came of it."""

    report: dict[str, Any]
    judged: list[Judged]
    """On clean landmarks, for the plots."""
    scales: list[Scale] = field(default_factory=list)


def evaluate(
    data: Path, *, quick: bool = False, calibrate: Path | None = None, processes: int = 1
) -> Evaluation:
    """Measures a file. With `quick` only the score, on clean landmarks; `calibrate` is the file calibrations are fitted on,
    where they are not to come from the same file's other subjects. Raises BadData.
    """
    if calibrate is not None and _digest(calibrate) == _digest(data):
        raise BadData("a calibration fitted on the file it is applied to has seen the answers; leave it out")
    dataset = load(data)
    performances = dataset.performances
    others = load(calibrate).performances if calibrate is not None else None
    report: dict[str, Any] = {
        "data": data.name,
        "calibrated_on": calibrate.name if calibrate is not None else "the other subjects of the file",
        "repetitions_in_file": len(performances),
        "subjects": sorted({one.subject for one in performances}),
        "too_short": dataset.too_short,
        "noise": {},
    }
    clean: Evaluation | None = None
    with _elsewhere(data, processes) as start:
        streams = {} if quick else _begun(start, performances)
        for noise in ["clean"] if quick else NOISES:
            began = time.monotonic()
            judged, templates = protocol.judge_all(performances, noise)
            scales = [protocol.label_free(judged, templates)]
            if others is None:
                scales += [protocol.correct_only(judged, templates), protocol.full(judged, templates)]
            else:
                scales += transferred(judged, templates, others, noise)
            found = {**figures(judged, scales), "baseline_cosine": baseline(judged)}
            print(f"{noise}: {len(judged)} judgements in {time.monotonic() - began:.0f} s", flush=True)
            if clean is not None:
                report["noise"][noise] = found
                continue
            clean = Evaluation(report, judged, scales)
            movements = sorted({one.movement for one in performances})
            report |= found
            report["design_movements"] = of_movements(judged, scales, DESIGN)
            report["other_movements"] = of_movements(judged, scales, set(movements) - set(DESIGN))
            report["by_movement"] = {str(m): of_movements(judged, scales, {m}) for m in movements}
        report |= _gathered(streams, report)
    report["notes"] = NOTES
    assert clean is not None
    return Evaluation(_without_nan(report), clean.judged, clean.scales)


# ---------------------------------------------------------------- processes
Start = Callable[..., Future[Any]]
_performances: list[Performance] = []
"""Of this process."""


def _load(data: Path) -> None:
    _performances[:] = load(data).performances


def _counts(movement: int) -> dict[str, Any]:
    return counts([one for one in _performances if one.movement == movement])


def _tracking(noise: str) -> dict[str, Any]:
    return tracking_figures(followed(_performances, noise))


def _localisation(noise: str) -> dict[str, Any]:
    return localisation(_performances, noise)


def _score_meaning() -> dict[str, Any]:
    return score_meaning(_performances)


@contextmanager
def _elsewhere(data: Path, processes: int) -> Iterator[Start]:
    """Starts functions in other processes, which have loaded the file."""
    # Spawned, not forked: Numba and BLAS have threads by now.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_load, initargs=(data,)) as pool:
        try:
            yield pool.submit
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begun(start: Start, performances: list[Performance]) -> dict[tuple[str, Any], Future[Any]]:
    """Longest first, so that no process ends up alone with a long one."""
    begun: dict[tuple[str, Any], Future[Any]] = {
        ("localisation", n): start(_localisation, n) for n in ("clean", "moderate")
    }
    for movement in sorted({one.movement for one in performances}):
        begun["counts", movement] = start(_counts, movement)
    begun |= {("tracking", noise): start(_tracking, noise) for noise in ("clean", "moderate")}
    begun["score_meaning", ""] = start(_score_meaning)
    return begun


def _gathered(begun: dict[tuple[str, Any], Future[Any]], report: dict[str, Any]) -> dict[str, Any]:
    if not begun:
        return {}
    counted = {key[1]: future.result() for key, future in begun.items() if key[0] == "counts"}
    for movement, found in counted.items():
        report["by_movement"][str(movement)]["repetitions"] = count_figures({movement: found})
    miscounted = [
        {
            "movement": movement,
            "kind": kind,
            "reference": reference,
            "subject": subject,
            "error": off,
            "of": truth,
        }
        for movement, found in counted.items()
        for kind in ("correct", "incorrect")
        for reference, subject, off, truth in found[kind]
        if off
    ]
    design = {m: found for m, found in counted.items() if m in DESIGN}
    other = {m: found for m, found in counted.items() if m not in DESIGN}
    return {
        "repetitions": {
            **count_figures(counted),
            "design_movements": count_figures(design),
            "other_movements": count_figures(other),
            "miscounted": miscounted,
        },
        "tracking": {noise: begun["tracking", noise].result() for noise in ("clean", "moderate")},
        "localisation": {
            **_headline(begun["localisation", "clean"].result()),
            "moderate": _headline(begun["localisation", "moderate"].result()),
            "meaning": MEANING,
        },
        "score_meaning": begun["score_meaning", ""].result(),
    }


def _headline(found: dict[str, Any]) -> dict[str, Any]:
    """Localisation's figures, those of the main case first."""
    main = found.get(CASE, {})
    return {"case": CASE, "part": main.get("part"), "phase": main.get("phase"), **found}


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error}") from error
