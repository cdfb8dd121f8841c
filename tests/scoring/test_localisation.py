"""Evidence for which joint went wrong and when: closed forms against sampling, and what a user's usual does to it."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from services.scoring.judging.comparison import compare
from services.scoring.judging.localisation import (
    FAULT_DEG,
    PHASES,
    REMEMBERED,
    Residuals,
    Usual,
    evidence,
    most_suspicious,
    residuals,
)
from services.scoring.judging.memory import Clip
from services.scoring.judging.variation import PERSON, REPETITION, Variation
from services.scoring.live.session import SessionScorer
from services.scoring.movement.features import BONE, BONE_COUNT, FEATURES, bone_vectors, feature_vectors
from services.scoring.movement.joints import JOINTS
from services.scoring.reference.building import build_template
from services.scoring.reference.tolerance import one_view_variance
from tests.scoring.puppet import landmarks, sets, squat, squats, waves

NAMES = [joint.name for joint in JOINTS]
BONE_NAMES = list(BONE)
VIEW = np.full((BONE_COUNT, 3), 1e-4)
NOBODY = Variation(*(np.zeros(BONE_COUNT) for _ in range(4)))
EVERYTHING, ALWAYS = np.ones(BONE_COUNT, dtype=bool), np.ones(len(PHASES), dtype=bool)
LIMB = {
    "left_shoulder": ("left_upper_arm", "left_forearm"),
    "left_elbow": ("left_forearm",),
    "right_hip": ("right_thigh", "right_shin", "right_foot"),
    "right_knee": ("right_shin", "right_foot"),
    "right_ankle": ("right_foot",),
    "head": ("head",),
}


STILL = np.zeros((len(PHASES), BONE_COUNT, 3))
SIDEWAYS = STILL + np.array([1.0, 0.0, 0.0])


def seen(
    mean: np.ndarray,
    known: np.ndarray = EVERYTHING,
    present: np.ndarray = ALWAYS,
    shown: np.ndarray = SIDEWAYS,
    moved: np.ndarray = STILL,
) -> Residuals:
    """All bones of the template point to the side and stay there, unless told otherwise."""
    return Residuals(mean, shown, moved, known, present, VIEW)


def fault(joint: str, phase: int, degrees: float = 25.0) -> np.ndarray:
    """Residuals of a repetition perfect but for one joint in one phase."""
    mean = np.zeros((len(PHASES), BONE_COUNT, 3))
    for bone in LIMB[joint]:
        mean[phase, BONE[bone], 1] = np.radians(degrees)
    return mean


def named(left: Residuals, usual: Usual | None = None) -> tuple[str, int]:
    joint, phase = most_suspicious(evidence(left, usual))[0]
    return NAMES[joint], phase


@pytest.mark.parametrize("phase", range(len(PHASES)))
@pytest.mark.parametrize("joint", LIMB)
def test_the_joint_that_moved_is_named_not_those_it_carries_along_nor_those_that_carry_it(
    joint: str, phase: int
) -> None:
    assert named(seen(fault(joint, phase))) == (joint, phase)


def test_nothing_wrong_speaks_against_every_hypothesis() -> None:
    assert (evidence(seen(np.zeros((3, BONE_COUNT, 3)))) < 0).all()


@seed(20261121)
@settings(max_examples=50, deadline=None)
@given(st.integers(0, BONE_COUNT - 1), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_a_bones_evidence_is_the_ratio_of_two_gaussian_densities(bone: int, phase: int, start: int) -> None:
    """The oracle: adding to the covariance how a rotation of unknown axis and size would spread the bone's direction."""
    rng = np.random.default_rng(start)
    mean, shown, moved = (rng.normal(0.0, 0.3, (3, BONE_COUNT, 3)) for _ in range(3))
    only = np.zeros(BONE_COUNT, dtype=bool)
    only[bone] = True
    one = seen(mean, only, shown=shown, moved=moved)
    found = evidence(one)
    row = next(i for i, joint in enumerate(JOINTS) if BONE_NAMES[bone] in joint.bones)
    plain = Usual().expected(one)[1][bone]
    turned = np.zeros((9, 3))
    turned[3 * phase : 3 * phase + 3] = np.cross(np.eye(3), shown[phase, bone]).T
    wide = plain + np.radians(FAULT_DEG) ** 2 * turned @ turned.T
    r = mean[:, bone].ravel()
    expected = 0.5 * (r @ (np.linalg.inv(plain) - np.linalg.inv(wide)) @ r) - 0.5 * np.log(
        np.linalg.det(wide) / np.linalg.det(plain)
    )
    assert found[row, phase] == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_going_further_than_the_reference_is_style_and_the_same_to_the_side_of_it_a_fault() -> None:
    """Before, differences were judged alike in all directions, and a deeper squat hid what else was wrong."""
    moved, further, aside = STILL.copy(), STILL.copy(), STILL.copy()
    moved[:, BONE["right_shin"], 1] = 0.2, 0.8, 0.2
    further[:, BONE["right_shin"], 1] = 0.5 * moved[:, BONE["right_shin"], 1]
    aside[:, BONE["right_shin"], 2] = 0.5 * moved[:, BONE["right_shin"], 1]
    knee = NAMES.index("right_knee")
    style, wrong = (evidence(seen(one, moved=moved))[knee].max() for one in (further, aside))
    assert wrong > style


def test_a_variation_adds_what_its_parts_say() -> None:
    """The oracle: the covariance of deviations drawn as the parts' docstrings describe them."""
    rng = np.random.default_rng(3)
    parts = [np.full(BONE_COUNT, value) for value in (0.02, 0.01, 0.05, 0.03)]
    moved = rng.normal(0.0, 0.5, (3, BONE_COUNT, 3))
    shin, thigh = BONE["left_shin"], BONE["left_thigh"]
    found = Variation(*parts).covariance(moved)[shin].reshape(3, 3, 3, 3)
    far = np.sqrt(np.square(moved[:, shin]).sum(axis=1) + np.square(moved[:, thigh]).sum(axis=1))
    for p, q, x, y in np.ndindex(3, 3, 3, 3):
        same = float(x == y)
        expected = same * (0.02 + 0.01 * (p == q) + 0.03 * far[p] * far[q])
        expected += 0.05 * moved[p, shin, x] * moved[p, shin, y] * (p == q)
        assert found[p, x, q, y] == pytest.approx(expected)


def test_an_arm_that_begins_wrong_does_not_pull_the_rest_out_of_step_with_the_phases() -> None:
    """Laid onto the reference by its ready pose, which was wrong, an error on the way out was told of another phase."""
    _, depth = waves(1)
    rows = [i for i, at in enumerate(depth) if at > 0.0]
    template = build_template(squats(3), "squat")
    outwards = np.arange(len(depth)) < np.argmax(depth) - 12
    arms = [25.0 if out else 0.0 for out in outwards]
    features = feature_vectors(
        bone_vectors(np.stack([landmarks(replace(squat(depth[i]), left_arm=arms[i]), 90.0) for i in rows]))
    )
    clip = Clip(features, np.ones(FEATURES, dtype=bool), one_view_variance(), np.zeros(FEATURES), 0.0)
    left = residuals(clip, compare(clip, template), template)
    assert named(left) == ("left_shoulder", 0)
    others = [
        BONE[bone] for bone in ("left_thigh", "right_thigh", "left_shin", "right_shin", "right_upper_arm")
    ]
    assert np.degrees(np.abs(left.mean[:, others])).max() < 2.0


def test_what_the_user_always_does_is_no_fault_and_what_is_new_is() -> None:
    rng = np.random.default_rng(4)
    habit = fault("right_knee", 1, 30.0)
    usual = Usual()
    for _ in range(3):
        usual = usual.after(seen(habit + rng.normal(0.0, 0.01, habit.shape)))
    assert named(seen(habit + fault("left_elbow", 2, 15.0)), usual) == ("left_elbow", 2)
    assert named(seen(habit + fault("left_elbow", 2, 15.0))) != ("left_elbow", 2)


def test_a_usual_is_the_mean_and_scatter_of_its_repetitions_while_none_has_faded() -> None:
    rng = np.random.default_rng(5)
    repetitions = rng.normal(0.0, 0.1, (6, 3, BONE_COUNT, 3))
    usual = Usual()
    for one in repetitions:
        usual = usual.after(seen(one))
    off = (repetitions - repetitions.mean(axis=0)).transpose(0, 2, 1, 3).reshape(6, BONE_COUNT, 9)
    within = Usual().expected(seen(STILL), person=NOBODY)[1]
    np.testing.assert_allclose(usual.mean, repetitions.mean(axis=0))
    np.testing.assert_allclose(
        usual.scatter, np.einsum("nbi,bij,nbj->b", off, np.linalg.inv(within), off) / 6.0
    )
    assert (usual.count == 6).all()


def test_a_usual_follows_somebody_who_changes_and_its_weight_stays_bounded() -> None:
    usual = Usual()
    for level in (0.0, 0.2):
        for _ in range(60):
            usual = usual.after(seen(np.full((3, BONE_COUNT, 3), level)))
    assert usual.count.max() <= REMEMBERED
    np.testing.assert_allclose(usual.mean, 0.2, atol=0.001)


def test_knowing_more_repetitions_never_widens_what_is_expected() -> None:
    moved = np.random.default_rng(6).normal(0.0, 0.3, (3, BONE_COUNT, 3))
    one = seen(STILL, moved=moved)
    usual = Usual()
    spread = [usual.expected(one)[1]]
    for _ in range(8):
        usual = usual.after(one)
        spread.append(usual.expected(one)[1])
    for before, after in pairwise(spread):
        assert np.linalg.eigvalsh(before - after).min() > -1e-12
        assert np.linalg.eigvalsh(after).min() > 0.0
    views = np.kron(0.95e-4 * np.ones((3, 3)) + 0.05e-4 * np.eye(3), np.eye(3))
    known = PERSON.covariance(moved) + REPETITION.covariance(moved)
    np.testing.assert_allclose(spread[0] - known, np.broadcast_to(views, known.shape), atol=1e-12)


def test_bones_not_seen_say_nothing_and_joints_not_seen_are_not_named() -> None:
    known = EVERYTHING.copy()
    known[BONE["left_forearm"]] = False
    table = evidence(seen(fault("left_elbow", 0), known))
    assert np.isneginf(table[NAMES.index("left_elbow")]).all()
    assert np.isfinite(table[NAMES.index("left_shoulder")]).all()
    usual = Usual().after(seen(fault("left_elbow", 0), known))
    assert usual.count[BONE["left_forearm"]] == 0
    assert not usual.mean[:, BONE["left_forearm"]].any()


def test_a_phase_the_template_has_not_is_never_named() -> None:
    present = np.array([True, False, True])
    table = evidence(seen(fault("left_elbow", 0), present=present))
    assert np.isneginf(table[:, 1]).all()
    assert most_suspicious(table)[0] == (NAMES.index("left_elbow"), 0)


def test_nobody_seen_names_nobody() -> None:
    assert most_suspicious(evidence(seen(np.zeros((3, BONE_COUNT, 3)), ~EVERYTHING))) == []


def test_a_usual_survives_its_way_through_json() -> None:
    usual = Usual().after(seen(fault("left_elbow", 0))).after(seen(fault("left_elbow", 1)))
    again = Usual.of(json.loads(json.dumps(usual.state)))
    np.testing.assert_allclose(again.mean, usual.mean, atol=1e-5)
    np.testing.assert_allclose(again.scatter, usual.scatter, atol=1e-5)
    np.testing.assert_allclose(again.count, usual.count)


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        [],
        {"count": [1]},
        {**Usual().state, "mean": [float("nan")] * 126},
        {**Usual().state, "scatter": [0.0] * 126},
    ],
)
def test_a_usual_that_cannot_be_read_is_learnt_anew(state: object) -> None:
    assert not Usual.of(state).count.any()


def usual_after(depth_share: float) -> object:
    """What a session of three squats leaves its successor to know as usual."""
    times, depth = waves(3)
    scorer = SessionScorer(build_template(squats(3), "squat"))
    for one in sets([squat(depth_share * d) for d in depth], times):
        scorer.feed(one)
    assert scorer.repetitions == 3
    state = json.loads(json.dumps(scorer.state()))
    heir = SessionScorer(scorer.template)
    heir.restore(state)
    assert heir.state() == state
    return state["usual"]


def test_good_repetitions_become_usual_and_a_successor_knows_them() -> None:
    assert Usual.of(usual_after(1.0)["as_shown"]).count.max() == 3  # type: ignore[index]


def test_repetitions_that_do_not_pass_are_not_usual() -> None:
    assert usual_after(0.5) == {}


def test_localising_a_repetition_costs_no_more_than_some_small_decompositions() -> None:
    """It once was held to a millisecond, which a busy machine did not keep. Here it takes .35 ms, the decomposition .4."""
    usual = Usual().after(seen(fault("left_elbow", 0)))
    square = np.random.default_rng(1).normal(size=(64, 64))

    def localise() -> None:
        most_suspicious(evidence(seen(fault("right_knee", 1)), usual))
        usual.after(seen(fault("right_knee", 1)))

    def least_s(work: Callable[[], object]) -> float:
        took = []
        for _ in range(8):
            began = time.process_time()
            for _ in range(25):
                work()
            took.append(time.process_time() - began)
        return min(took)

    assert least_s(localise) < 3 * least_s(lambda: np.linalg.svd(square))
