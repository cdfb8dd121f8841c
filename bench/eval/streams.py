"""What a live session makes of performances one after the other: counts, position, start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.eval.data import NOISES, RATE_HZ, Floats, Performance, disturbed, recording
from bench.eval.protocol import references, sample_template, seen_features
from services.scoring.live.following import Following
from services.scoring.live.session import SessionScorer
from services.scoring.movement.features import bone_vectors
from services.scoring.movement.landmarks import LANDMARKS, SyncedViews, View
from services.scoring.movement.smoothing import lowpass
from services.scoring.movement.views import fuse
from services.scoring.movement.warping import Indices
from services.scoring.reference.template import Template

REPETITIONS: Final = 10
IDLE_S: Final = 20.0
REST_S: Final = 1.0
SWAY_M: Final = 0.004
TEMPOS: Final = (0.5, 2.0)
PAUSE_S: Final = 1.5
OCCLUSION_S: Final = 2.0
LOCKED_S: Final = 0.2
ONSET_DEG: Final = 5.0
START_FRAMES: Final = 5


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


def counts(performances: list[Performance]) -> dict[str, Any]:
    """Errors of one movement's counts: ten repetitions one after the other, by every subject against every other's reference;
    and repetitions counted of somebody who stands idle.
    """
    features = [seen_features(p, "clean", seed) for seed, p in enumerate(performances)]
    found: dict[str, Any] = {"correct": [], "incorrect": [], "idle": 0}
    for (movement, reference), template in references(performances, features).items():
        for subject in sorted({p.subject for p in performances} - {reference}):
            for kind, correct in (("correct", True), ("incorrect", False)):
                chosen = [p.world_m for p in performances if (p.subject, p.correct) == (subject, correct)][
                    :REPETITIONS
                ]
                if chosen:
                    # People stand still before they begin and after they have done.
                    rest = round(REST_S * RATE_HZ)
                    still = [np.repeat(chosen[0][:1], rest, axis=0), np.repeat(chosen[-1][-1:], rest, axis=0)]
                    count = counted(template, np.concatenate([still[0], *chosen, still[1]]))
                    found[kind].append((reference, subject, count - len(chosen), len(chosen)))
        pose = next(p.world_m[0] for p in performances if p.subject == reference)
        sway = np.random.default_rng([movement, reference]).normal(
            0, SWAY_M, (round(IDLE_S * RATE_HZ), LANDMARKS, 3)
        )
        found["idle"] += counted(template, pose + sway)
    return found


def count_figures(by_movement: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """OBO: share of rows of repetitions off by at most one. MAE: mean of |error| / truth. Exact: share without error."""
    out: dict[str, Any] = {}
    for kind in ("correct", "incorrect"):
        rows = [row for found in by_movement.values() for row in found[kind]]
        error = np.abs(np.array([off for _, _, off, _ in rows], dtype=np.float64))
        truth = np.array([length for *_, length in rows], dtype=np.float64)
        out[kind] = {
            "obo": float((error <= 1).mean()) if rows else float("nan"),
            "mae": float((error / truth).mean()) if rows else float("nan"),
            "exact": float((error == 0).mean()) if rows else float("nan"),
            "sequences": len(rows),
        }
    out["idle"] = sum(found["idle"] for found in by_movement.values())
    return out


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


@dataclass(frozen=True)
class Followed:
    """One performance at another tempo and with pauses, against its own reference."""

    movement: int
    rows: Floats
    """(frames,) true row of the template."""
    told: Floats
    """(frames,) row the live tracker gives."""
    relock_s: float
    """Until the position is right again after the person was hidden; NaN: too short a performance for that."""
    start_frames: float
    """How much later than in truth the repetition is said to have begun; NaN: it was not counted."""


def followed(performances: list[Performance], noise: str, seed: int = 2026) -> list[Followed]:
    """Each subject's first correct repetition of each movement is the reference and, at another tempo and with pauses, the
    performance. A quarter of the way in it is hidden for two seconds, in a run of its own.
    """
    rng = np.random.default_rng(seed)
    firsts: dict[tuple[int, int], Performance] = {}
    for one in sorted(performances, key=lambda one: (one.movement, one.subject, one.episode)):
        if one.correct:
            firsts.setdefault((one.movement, one.subject), one)
    return [_followed(one, noise, rng) for one in firsts.values()]


def _followed(performance: Performance, noise: str, rng: np.random.Generator) -> Followed:
    template = sample_template([seen_features(performance, "clean", 0)])
    rows = warped(len(performance.world_m), rng)
    whole = np.arange(len(performance.world_m))
    flat = performance.world_m.reshape(len(whole), -1)
    truth = np.stack([np.interp(rows, whole, column) for column in flat.T], axis=1)
    world = disturbed(truth.reshape(len(rows), LANDMARKS, 3), NOISES[noise], rng)
    told = _positions(template, world, np.arange(len(rows)))
    gap = round(OCCLUSION_S * RATE_HZ)
    begin = len(rows) // 4
    relock = float("nan")
    if begin + gap + RATE_HZ < len(rows):
        shown = np.concatenate((np.arange(begin), np.arange(begin + gap, len(rows))))
        after = np.abs(_positions(template, world, shown)[begin:] - rows[shown][begin:]) / RATE_HZ
        good = np.flatnonzero(after <= LOCKED_S)
        relock = float(good[0] if len(good) else len(after)) / RATE_HZ
    return Followed(
        performance.movement, rows, told, relock, _start(template, performance.world_m, rows, world)
    )


def _start(template: Template, still_m: Floats, rows: Floats, world: Floats) -> float:
    """Frames between the true onset and that of the first repetition a session counts; a second's rest before and after.

    In truth movement begins when a bone has turned by ONSET_DEG from where it pointed in the first frame.
    """
    bones = bone_vectors(still_m)
    turned = np.degrees(np.arccos(np.clip((bones * bones[:1]).sum(axis=-1), -1.0, 1.0))).max(axis=1)
    true = int(np.argmax(turned[np.clip(np.round(rows).astype(int), 0, len(turned) - 1)] >= ONSET_DEG))
    rest = round(REST_S * RATE_HZ)
    steady = lowpass(world, RATE_HZ)
    jitter = (world - steady)[np.arange(rest) % len(world)]
    still = [steady[end] + jitter for end in (0, -1)]
    scorer = SessionScorer(template)
    for one in views_of(np.concatenate((still[0], world, still[1]))):
        outcome = scorer.feed(one)
        if outcome.completed is not None:
            return outcome.completed.start_s * RATE_HZ - rest - true
    return float("nan")


def tracking_figures(runs: list[Followed]) -> dict[str, Any]:
    """Position error in milliseconds of the reference's time, and the rest of what the issue asks of tracking."""
    if not runs:
        return {}
    error = np.concatenate([np.abs(run.told - run.rows) for run in runs]) / RATE_HZ
    relock = np.array([run.relock_s for run in runs if math.isfinite(run.relock_s)])
    starts = np.array([run.start_frames for run in runs])
    edges = np.arange(0.0, 0.52, 0.02)
    by_movement = {
        str(movement): 1000
        * float(
            np.concatenate([np.abs(r.told - r.rows) for r in runs if r.movement == movement]).mean() / RATE_HZ
        )
        for movement in sorted({run.movement for run in runs})
    }
    return {
        "mean_error_ms": 1000 * float(error.mean()),
        "median_error_ms": 1000 * float(np.median(error)),
        "p95_error_ms": 1000 * float(np.quantile(error, 0.95)),
        "within_200_ms": float((error <= 0.2).mean()),
        "relock_p95_s": float(np.quantile(relock, 0.95)) if len(relock) else float("nan"),
        "relock_runs": len(relock),
        "start_within_5_frames": float((np.abs(starts) <= START_FRAMES).mean()),
        "start_counted": float(np.isfinite(starts).mean()),
        "start_median_frames": float(np.nanmedian(starts)) if np.isfinite(starts).any() else float("nan"),
        "by_movement_ms": by_movement,
        "histogram_20_ms": np.histogram(np.minimum(error, 0.509), edges)[0].tolist(),
    }


def _positions(template: Template, world: Floats, shown: Indices) -> Floats:
    """Rows the live tracker gives for the frames shown; a gap in them is a gap in time."""
    following = Following(template)
    ready = None
    before = shown[0] - 1
    out = []
    for frame in shown:
        seen = fuse((View("camera", world[frame, :, :2], world[frame], np.ones(LANDMARKS)),), (0.0,))
        ready = seen.features if ready is None else ready
        out.append(following.place(seen, ready, float(frame - before) / RATE_HZ).position.row)
        before = frame
    return np.array(out)
