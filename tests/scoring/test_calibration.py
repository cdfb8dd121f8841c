"""What a calibration may conclude from how many people."""

import numpy as np
import pytest

from bench.eval.protocol import clip_of, features_of, noise_of
from services.scoring.judging.calibration import defaults, from_correct
from services.scoring.judging.comparison import Comparison, compare
from services.scoring.reference.building import build_template
from services.scoring.reference.template import Template
from tests.scoring.puppet import landmarks, squat, squats, waves


@pytest.fixture(scope="module")
def template() -> Template:
    return build_template(squats(3), "squat")


def squatted(template: Template, lean: float) -> Comparison:
    _, depths = waves(1, rest_s=0.2)
    world = np.stack([landmarks(squat(depth, lean), 90.0) for depth in depths.tolist()])
    return compare(clip_of(features_of(world), template), template)


@pytest.mark.parametrize("leans", [(1.0, 1.02, 0.98, 1.0, 1.01), (1.9, 2.0, 1.8, 2.1, 1.9)])
def test_one_person_can_only_widen_what_passes(template: Template, leans: tuple[float, ...]) -> None:
    """Their own repetitions, laid onto their own mean, made a boundary that nobody else passed."""
    usual = defaults(template)
    fit = from_correct([squatted(template, lean) for lean in leans], ["a"] * len(leans), template)
    assert fit.source == "correct"
    assert fit.d70 >= usual.d70
    passed = [fit.deviation(squatted(template, lean), template)[0] <= fit.d70 for lean in leans]
    assert np.mean(passed) >= 0.6


def test_several_people_share_what_they_do_otherwise(template: Template) -> None:
    leans, people = (1.5, 1.45, 1.55, 1.5, 1.6, 1.4), ["a", "a", "b", "b", "c", "c"]
    fit = from_correct([squatted(template, lean) for lean in leans], people, template)
    other = squatted(template, 1.5)
    assert fit.deviation(other, template)[0] < defaults(template).deviation(other, template)[0]


def test_noise_from_frame_to_frame_is_taken_off_what_looks_like_deviation(template: Template) -> None:
    """It looked like one: under 1.5 cm of jitter a quarter of the right repetitions fell below 70."""
    _, depths = waves(1, rest_s=0.2)
    still = np.stack([landmarks(squat(depth, 1.3), 90.0) for depth in depths.tolist()])
    shaken = still + np.random.default_rng(7).normal(0.0, 0.015, still.shape)
    scale = defaults(template)

    def off(world: np.ndarray, noise: np.ndarray) -> float:
        return scale.deviation(compare(clip_of(features_of(world), template, noise), template), template)[0]

    quiet, noisy = off(still, noise_of(still)), off(shaken, noise_of(shaken))
    taken_for_real = off(shaken, np.zeros_like(noise_of(shaken)))
    assert quiet < noisy < taken_for_real - 0.2 * (taken_for_real - quiet)


def test_the_fewer_people_the_nearer_their_boundary_stays_to_the_default_one(template: Template) -> None:
    """The quantile of three people's repetitions missed movements on which they happened to agree."""

    def boundary(people: int) -> float:
        leans = [lean for person in range(people) for lean in (1.0 + 0.004 * person, 1.01, 0.99)]
        names = [str(person) for person in range(people) for _ in range(3)]
        return from_correct([squatted(template, lean) for lean in leans], names, template).d70

    few, many = boundary(2), boundary(9)
    assert many < few < defaults(template).d70
