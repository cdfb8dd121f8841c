"""Score and advice follow the form of the virtual gym's person, whose faults are known exactly."""

from functools import lru_cache

import numpy as np

import gym
from services.scoring.live.outcome import Advice, CompletedRepetition
from services.scoring.live.session import SessionScorer
from services.scoring.movement.landmarks import Recording, SyncedViews, View
from services.scoring.reference.building import build_template

RATE_HZ = 15
PIXELS_OFF = 2.0
METRES_OFF = 0.01
"""Standard deviations of what a camera adds to the truth."""


def truth(camera: gym.VirtualCamera, time_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks in metres on the camera's axes, from the middle of the hips, and in pixels."""
    person, seen = camera.truth(time_s), camera.seen(time_s)
    assert person.landmarks is not None
    assert seen is not None
    points = np.asarray(person.landmarks)
    centred = points - (points[23] + points[24]) / 2
    return centred @ np.asarray(camera.calibration.rotation).T, np.asarray(seen.pixels)


@lru_cache(maxsize=1)
def performed() -> list[tuple[frozenset[str], CompletedRepetition, Advice | None]]:
    """Every repetition of the demo's session seen by two cameras: its faults, the verdict, and the cue then."""
    answer = gym.open_address("gym:answer?epoch=0", now=0.0)
    times = np.arange(0.0, answer.duration, 1 / 30)
    world, pixels = (np.array(part) for part in zip(*(truth(answer, float(t)) for t in times), strict=True))
    scorer = SessionScorer(
        build_template(Recording(times, pixels, world, np.ones((len(times), 33)), 30.0), "squat")
    )
    cameras = [gym.open_address(f"gym:session?view={view}&epoch=0", now=0.0) for view in (30, 90)]
    noise = np.random.default_rng(0)
    heard = []
    for time_s in np.arange(0.0, cameras[0].duration, 1 / RATE_HZ):
        views: list[View] = []
        for camera in cameras:
            metres, px = truth(camera, float(time_s))
            views.append(
                View(
                    str(len(views)),
                    px + noise.normal(0, PIXELS_OFF, px.shape),
                    metres + noise.normal(0, METRES_OFF, metres.shape),
                    np.ones(33),
                )
            )
        outcome = scorer.feed(SyncedViews(float(time_s), tuple(views)))
        if outcome.completed is not None:
            faults = frozenset(cameras[0].truth(float(time_s) - 1.0).faults)
            heard.append((faults, outcome.completed, outcome.advice))
    return heard


def scores(*faults: str) -> list[float]:
    return [done.verdict.score for found, done, _ in performed() if found == frozenset(faults)]


def test_every_repetition_is_counted() -> None:
    assert len(performed()) == 15


def test_good_squats_score_high() -> None:
    assert min(scores()) > 90


def test_shallow_squats_score_low() -> None:
    """Squats of two thirds the depth scored 91: short was less than 60 % of the range."""
    assert np.median(scores("shallow")) < 70
    assert max(scores("shallow")) < 80


def test_knees_that_fall_inwards_score_low_and_are_named() -> None:
    """Knees in scored 98, since a few degrees of four bones drown among fourteen."""
    assert max(scores("knees_in")) < 70
    cues = {advice.code for faults, _, advice in performed() if faults == {"knees_in"} and advice}
    assert cues == {"squat.knees.in.any"}


def test_no_fault_is_named_while_the_form_is_good() -> None:
    assert not [advice for faults, _, advice in performed() if not faults and advice and not advice.praise]
