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
_KINDS: Final = [bone.name.removeprefix("left_").removeprefix("right_") for bone in BONES]


@dataclass(frozen=True)
class Series:
    """Correct repetitions of one movement by one person against the reference of one."""

    movement: int
    subject: int
    reference: int
    moved: Floats
    shown: Floats
    """(3, 14, 3) both, as in `Residuals`."""
    off: Floats
    """(repetitions, 14, 9) residuals, phase by phase."""

    @classmethod
    def of(cls, key: tuple[int, int, int], seen: list[Residuals]) -> Series:
        """`key`: movement, subject and reference."""
        off = np.stack([one.mean.transpose(1, 0, 2).reshape(BONE_COUNT, -1) for one in seen])
        return cls(*key, moved=seen[0].moved, shown=seen[0].shown, off=off)


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
            people.append((one, 1.0, mean[:, :, None] * mean[:, None, :]))
        else:
            off = one.off - mean
            products = np.einsum("nbi,nbj->bij", off, off) * len(off) / (len(off) - 1)
            repetitions.append((one, float(len(off)), products))
    return _variation(people), _variation(repetitions)


def _variation(samples: list[tuple[Series, float, Floats]]) -> Variation:
    """From (of what, how many residuals, the sum (14, 9, 9) of their products) each."""
    turns = np.stack([_turns(one.shown) for one, _, _ in samples])  # samples, 14, 9, 6
    bases = np.stack([_bases(one.moved) for one, _, _ in samples])  # samples, 4, 14, 9, 9
    bases = np.einsum("nbip,nkbij,nbjq->nkbpq", turns, bases, turns, optimize=True)
    counts = np.array([count for _, count, _ in samples])
    products = np.stack([product for _, _, product in samples])
    products = np.einsum("nbip,nbij,nbjq->nbpq", turns, products, turns, optimize=True)
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


def _turns(shown: Floats) -> Floats:
    """(14, 9, 6) the two directions in which a bone can turn in each phase, at right angles to it."""
    _, _, axes = np.linalg.svd(
        shown.transpose(1, 0, 2)[:, :, None, :]
    )  # bones, phases, 3 axes, the first along it
    turns = np.zeros((BONE_COUNT, 9, 6))
    for phase in range(3):
        across = axes[:, phase, 1:].transpose(0, 2, 1)
        turns[:, 3 * phase : 3 * phase + 3, 2 * phase : 2 * phase + 2] = across
    return turns


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
    size = products.shape[-1]
    total = np.trace(products, axis1=1, axis2=2).sum() / counts.sum() / size
    sizes = np.trace(bases, axis1=2, axis2=3).mean(axis=0) / size
    parts: Floats = total / 4.0 / np.maximum(sizes, 1e-6)
    floor = LEAST * np.eye(size)
    for _ in range(STEPS):
        inverse = np.linalg.inv(np.einsum("i,niab->nab", parts, bases) + floor)
        shown = np.einsum("nab,niba->i", inverse @ products @ inverse, bases)
        expected = np.einsum("n,nab,niba->i", counts, inverse, bases)
        parts = parts * np.sqrt(shown / np.maximum(expected, 1e-12))
    return parts
