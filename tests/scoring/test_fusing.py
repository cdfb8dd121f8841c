"""Views averaged in one compiled loop, against the same average written with arrays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.movement import views
from services.scoring.movement.features import BONE_COUNT
from services.scoring.movement.landmarks import Floats


def _mean(bones: Floats, information: Floats) -> tuple[Floats, Floats]:
    total = information.sum(axis=0)
    seen = total[:, 1, 1] > 0
    covariance = np.linalg.inv(np.where(seen[:, None, None], total, np.eye(3)))
    mean = np.einsum("bij,bj->bi", covariance, np.einsum("vbij,vbj->bi", information, bones))
    unit = mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-6)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    return np.where(seen[:, None], unit, 0.0), np.where(seen[:, None], diagonal, np.inf)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 10_000))
def test_the_compiled_average_is_the_one_written_with_arrays(count: int, passes: int, seed: int) -> None:
    made = np.random.default_rng(seed)
    bones = made.normal(size=(1, BONE_COUNT, 3)) + made.normal(scale=0.3, size=(count, BONE_COUNT, 3))
    weight = np.where(
        made.uniform(size=(count, BONE_COUNT)) < 0.3, 0.0, made.uniform(size=(count, BONE_COUNT))
    )
    shape = np.stack([views.bone_information(turn) for turn in made.normal(size=count)])

    information = shape * weight[..., None, None]
    mean, variance = _mean(bones, information)
    for _ in range(passes):
        gap = bones - mean
        squared = np.einsum("vbi,vbij,vbj->vb", gap, information, gap)
        mean, variance = _mean(bones, information / (1.0 + squared / views.OUTLIER**2)[..., None, None])

    found, spread = views._robust_mean(bones, weight, shape, passes)
    np.testing.assert_allclose(found, mean, atol=1e-9)
    np.testing.assert_allclose(spread, variance, rtol=1e-9)
