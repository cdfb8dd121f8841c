"""How people and repetitions differ, fitted to a file: by maximum likelihood, leaving out whom it is to be tried on.

`services/scoring/judging/variation.py` ships what this gives of UI-PRMD's five people and m01-m05. Trying that on these
five would flatter it, so the evaluation also fits it anew without the user and without the reference's person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.eval.data import DESIGN, Floats
from services.scoring.judging.localisation import Residuals
from services.scoring.judging.variation import Variation
from services.scoring.movement.features import BONE_COUNT, BONES

STEPS: Final = 80
"""Of the fit; twice as many change no figure by a tenth."""
FEWEST_PEOPLE: Final = 3
"""Of fewer nothing is said of how people differ."""
LEAST: Final = np.radians(0.05) ** 2
"""Variance that is always there."""
_DIRECTIONS: Final = 2.0 / 3.0
"""A bone has three components, and two directions to turn in."""
_KINDS: Final = [bone.name.removeprefix("left_").removeprefix("right_") for bone in BONES]


@dataclass(frozen=True)
class Series:
    """Correct repetitions of one movement by one person against the reference of one."""

    movement: int
    subject: int
    reference: int
    moved: Floats
    """(3, 14, 3) as `Residuals.moved`."""
    off: Floats
    """(repetitions, 14, 9) residuals, phase by phase."""

    @classmethod
    def of(cls, key: tuple[int, int, int], seen: list[Residuals]) -> Series:
        """`key`: movement, subject and reference."""
        off = np.stack([one.mean.transpose(1, 0, 2).reshape(BONE_COUNT, -1) for one in seen])
        return cls(*key, moved=seen[0].moved, off=off)


def fitted(series: Iterable[Series], without: Collection[int] = ()) -> tuple[Variation, Variation] | None:
    """Between people, and between repetitions of one; None if too few people are left."""
    chosen = [
        one
        for one in series
        if one.movement in DESIGN and not {one.subject, one.reference} & set(without) and len(one.off) > 1
    ]
    if len({one.subject for one in chosen}) < FEWEST_PEOPLE:
        return None
    people, repetitions = [], []
    for one in chosen:
        mean = one.off.mean(axis=0)
        if one.subject != one.reference:
            people.append((one.moved, 1.0, mean[:, :, None] * mean[:, None, :]))
        else:
            off = one.off - mean
            products = np.einsum("nbi,nbj->bij", off, off) * len(off) / (len(off) - 1)
            repetitions.append((one.moved, float(len(off)), products))
    return _variation(people), _variation(repetitions)


def _variation(samples: list[tuple[Floats, float, Floats]]) -> Variation:
    """From (moved, how many residuals, the sum (14, 9, 9) of their products) each."""
    bases = np.stack([_bases(moved) for moved, _, _ in samples])  # samples, 4, 14, 9, 9
    counts = np.array([count for _, count, _ in samples])
    products = np.stack([product for _, _, product in samples])
    parts = np.zeros((4, BONE_COUNT))
    for kind in sorted(set(_KINDS)):
        bones = [bone for bone, name in enumerate(_KINDS) if name == kind]
        found = _fit(
            np.concatenate([bases[:, :, bone] for bone in bones]),
            np.tile(counts, len(bones)),
            np.concatenate([products[:, bone] for bone in bones]),
        )
        parts[:, bones] = found[:, None]
    return Variation(*parts)


def _bases(moved: Floats) -> Floats:
    """(4, 14, 9, 9) what each of a variation's parts, being 1, adds to the covariance."""
    none, one = np.zeros(BONE_COUNT), np.ones(BONE_COUNT)
    return np.stack(
        [
            Variation(*(one if part == row else none for part in range(4))).covariance(moved)
            for row in range(4)
        ]
    )


def _fit(bases: Floats, counts: Floats, products: Floats) -> Floats:
    """(4,) variance components (Zhou et al. 2019, MM algorithms for variance components models)."""
    total = np.trace(products, axis1=1, axis2=2).sum() / counts.sum() / 9.0
    sizes = np.trace(bases, axis1=2, axis2=3).mean(axis=0) / 9.0
    parts: Floats = total / 4.0 / np.maximum(sizes, 1e-6)
    floor = LEAST * np.eye(9)
    for _ in range(STEPS):
        inverse = np.linalg.inv(np.einsum("i,niab->nab", parts, bases) + floor)
        shown = np.einsum("nab,niba->i", inverse @ products @ inverse, bases)
        expected = _DIRECTIONS * np.einsum("n,nab,niba->i", counts, inverse, bases)
        parts = parts * np.sqrt(shown / np.maximum(expected, 1e-12))
    return parts
