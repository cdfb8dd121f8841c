"""What a live session makes of performances one after the other: counts, position, start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.eval.data import NOISES, RATE_HZ, Floats, Performance, disturbed, recording
from bench.eval.protocol import sample_template, seen_features
from services.scoring.live.following import Following
from services.scoring.live.session import SessionScorer
from services.scoring.movement.landmarks import LANDMARKS, SyncedViews, View
from services.scoring.movement.views import fuse
from services.scoring.reference.template import Template

REPETITIONS: Final = 10
IDLE_S: Final = 20.0
REST_S: Final = 1.0
SWAY_M: Final = 0.004
TEMPOS: Final = (0.5, 2.0)
PAUSE_S: Final = 1.5
OCCLUSION_S: Final = 2.0
LOCKED_S: Final = 0.2


def views_of(world: Floats) -> list[SyncedViews]:
    """One camera's synced sets of these landmarks (frames, 33, 3)."""
    seen = recording(world)
    return [SyncedViews(float(t), (seen.view(row, "camera"),)) for row, t in enumerate(seen.times_s)]


def counted(template: Template, world: Floats) -> int:
    """Repetitions a session counts."""
    scorer = SessionScorer(template)
    for one in views_of(world):
        scorer.feed(one)
    return scorer.repetitions


@dataclass
class Counts:
    """Counts against the truth."""

    errors: list[int]

    def figures(self) -> dict[str, float]:
        """OBO: share off by at most one. MAE: mean of |error| / truth. Exact: share without error."""
        error = np.abs(np.array(self.errors, dtype=np.float64))
        return {
            "obo": float((error <= 1).mean()),
            "mae": float((error / REPETITIONS).mean()),
            "exact": float((error == 0).mean()),
            "sequences": float(len(error)),
        }


def repetition_counts(
    performances: list[Performance], templates: dict[tuple[int, int], Template]
) -> dict[str, Any]:
    """Ten repetitions one after the other, by every subject against every other's reference; and standing idle."""
    found = {"correct": Counts([]), "incorrect": Counts([])}
    idle = 0
    for (movement, reference), template in templates.items():
        subjects = sorted({p.subject for p in performances if p.movement == movement} - {reference})
        for subject in subjects:
            for kind, correct in (("correct", True), ("incorrect", False)):
                chosen = [
                    p.world_m
                    for p in performances
                    if (p.movement, p.subject, p.correct) == (movement, subject, correct)
                ][:REPETITIONS]
                if chosen:
                    # People stand still before they begin and after they have done.
                    rest = round(REST_S * RATE_HZ)
                    still = [np.repeat(chosen[0][:1], rest, axis=0), np.repeat(chosen[-1][-1:], rest, axis=0)]
                    count = counted(template, np.concatenate([still[0], *chosen, still[1]]))
                    found[kind].errors.append(count - len(chosen))
        pose = next(p.world_m[0] for p in performances if p.movement == movement and p.subject == reference)
        sway = np.random.default_rng([movement, reference]).normal(
            0, SWAY_M, (round(IDLE_S * RATE_HZ), LANDMARKS, 3)
        )
        idle += counted(template, pose + sway)
    return {**{kind: counts.figures() for kind, counts in found.items()}, "idle": idle}


def warped(length: int, rng: np.random.Generator) -> Floats:
    """True template rows of a performance at changing tempo with pauses, 30 a second."""
    rows: list[float] = []
    row, tempo = 0.0, 1.0
    pause_at = rng.uniform(0.2, 0.8) * length
    while row < length - 1:
        if len(rows) % 20 == 0:
            tempo = float(np.exp(rng.uniform(np.log(TEMPOS[0]), np.log(TEMPOS[1]))))
        if row >= pause_at:
            rows += [row] * round(rng.uniform(0, PAUSE_S) * RATE_HZ)
            pause_at = np.inf
        rows.append(row)
        row += tempo
    return np.array(rows)


def tracking(performances: list[Performance], noise: str, seed: int = 2026) -> dict[str, float]:
    """Position error against exact truth: each subject's first correct repetition is the reference and, at another tempo and
    with pauses, the performance. A quarter of the way in it is hidden for two seconds, in a run of its own.
    """
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    relock: list[float] = []
    for performance in performances:
        if not performance.correct or performance.episode != 1:
            continue
        template = sample_template([seen_features(performance, "clean", 0)])
        rows = warped(len(performance.world_m), rng)
        truth = np.stack(
            [
                np.interp(rows, np.arange(len(performance.world_m)), column)
                for column in performance.world_m.reshape(len(performance.world_m), -1).T
            ],
            axis=1,
        ).reshape(len(rows), LANDMARKS, 3)
        world = disturbed(truth, NOISES[noise], rng)
        errors += list(np.abs(_positions(template, world, range(len(rows))) - rows) / RATE_HZ)
        gap = round(OCCLUSION_S * RATE_HZ)
        begin = len(rows) // 4
        if begin + gap + RATE_HZ < len(rows):
            shown = [*range(begin), *range(begin + gap, len(rows))]
            after = np.abs(_positions(template, world, shown)[begin:] - rows[shown][begin:]) / RATE_HZ
            good = np.flatnonzero(after <= LOCKED_S)
            relock.append(float(good[0]) / RATE_HZ if len(good) else float(len(after)) / RATE_HZ)
    error = np.array(errors)
    return {
        "mean_error_ms": 1000 * float(error.mean()),
        "p95_error_ms": 1000 * float(np.quantile(error, 0.95)),
        "within_200_ms": float((error <= 0.2).mean()),
        "relock_p95_s": float(np.quantile(relock, 0.95)) if relock else float("nan"),
        "relock_runs": float(len(relock)),
    }


def _positions(template: Template, world: Floats, shown: Any) -> Floats:
    """Rows the live tracker gives for the frames shown; a gap in them is a gap in time."""
    following = Following(template)
    ready = None
    before = None
    out = []
    for frame in shown:
        seen = fuse((View("camera", world[frame, :, :2], world[frame], np.ones(LANDMARKS)),), (0.0,))
        ready = seen.features if ready is None else ready
        steps = 1 if before is None else frame - before
        if steps > RATE_HZ / 2:
            following.warping.relocate()
        out.append(following.place(seen, ready, min(steps, 15) / RATE_HZ).position.row)
        before = frame
    return np.array(out)
