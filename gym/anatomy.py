"""A naked body of a given shape: vertices, joints and skin weights, from the CC0 base mesh in body.npz.

Frame: metres, x to the subject's left, y backwards, z up, the soles on z = 0.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gym.rotation import Vector

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

BODY_FILE = Path(__file__).with_name("body.npz")

# Groups of triangles in the asset.
SKIN, HAIR_MESH, LEFT_EYE, RIGHT_EYE, TIGHTS = range(5)

# MediaPipe puts the hip in front of the rig's joint (notes: about 45 mm); the truth follows MediaPipe here.
_HIP_FORWARD = 0.04
_REFERENCE_HEIGHT = 1.76


@dataclass(frozen=True)
class Shape:
    """What a body is like. `weight`, `muscle` and `legs` run from -1 (thin, weak, short) to 1."""

    sex: Literal["male", "female"] = "male"
    height_m: float = 1.76
    weight: float = 0.0
    muscle: float = 0.0
    legs: float = 0.0


@dataclass(frozen=True)
class Anatomy:
    """A body at rest (arms slanting down, legs apart), soles on the floor."""

    shape: Shape
    vertices: Floats  # (n, 3)
    joints: Floats  # (bones, 3): where each bone begins
    tails: Floats  # (bones, 3): where it ends


@dataclass(frozen=True)
class Asset:
    """The parts of body.npz that no shape changes."""

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    index: dict[str, int]
    triangles: Ints
    groups: NDArray[np.int8]
    weights: Floats  # (n, bones), rows sum to 1
    lips: Floats  # (n,) 0..1, as the next two
    eyelids: Floats
    ears: Floats


@lru_cache(maxsize=1)
def asset() -> Asset:
    """Read body.npz once."""
    with np.load(BODY_FILE) as z:
        bones = tuple(str(name) for name in z["names"])
        n = len(z["V"])
        weights = np.zeros((n, len(bones)))
        np.put_along_axis(weights, z["wi"].astype(np.int64), z["ww"].astype(np.float64), axis=1)
        return Asset(
            bones=bones,
            parents=tuple(int(p) for p in z["parent"]),
            index={name: i for i, name in enumerate(bones)},
            triangles=z["tri"].astype(np.int32),
            groups=z["grp"].astype(np.int8),
            weights=weights,
            lips=z["M_lips"].astype(np.float64),
            eyelids=z["M_eyelids"].astype(np.float64),
            ears=z["M_ears"].astype(np.float64),
        )


def build(shape: Shape) -> Anatomy:
    """Morph the base mesh into `shape` and find its joints."""
    with np.load(BODY_FILE) as z:

        def target(name: str) -> Floats:
            return np.asarray(z[f"T_{name}"], dtype=np.float64)

        sex = shape.sex
        vertices = z["V"].astype(np.float64) + target(sex)
        for amount, more, less in (
            (shape.weight, f"{sex}_averagemuscle_maxweight", f"{sex}_averagemuscle_minweight"),
            (shape.muscle, f"{sex}_maxmuscle_averageweight", f"{sex}_minmuscle_averageweight"),
        ):
            vertices += abs(amount) * target(more if amount > 0 else less)
        for part in ("upperlegs", "lowerlegs"):
            name = f"leg_{part}-height-{'incr' if shape.legs > 0 else 'decr'}"
            vertices += abs(shape.legs) * target(name)

        skin = np.unique(z["tri"][z["grp"] == SKIN])
        vertices[:, 2] -= vertices[skin, 2].min()
        vertices *= shape.height_m / vertices[skin, 2].max()
        joints = _centres(vertices, z["h1"], z["h2"])
        tails = _centres(vertices, z["t1"], z["t2"])
    index = asset().index
    for side in "lr":
        joints[index[f"thigh_{side}"], 1] -= _HIP_FORWARD * shape.height_m / _REFERENCE_HEIGHT
    return Anatomy(shape, vertices, joints, tails)


def weight_of(*prefixes: str) -> Vector:
    """How much bones whose names begin so move each vertex (n,)."""
    a = asset()
    columns = [i for i, name in enumerate(a.bones) if name.startswith(prefixes)]
    return np.asarray(a.weights[:, columns].sum(axis=1))


def _centres(vertices: Floats, members: Ints, offsets: Ints) -> Floats:
    return np.array([vertices[members[a:b]].mean(axis=0) for a, b in pairwise(offsets)])
