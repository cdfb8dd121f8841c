"""A dressed person ready to be drawn: mesh, skeleton, landmarks; and their look in one configuration."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gym.anatomy import Anatomy, build
from gym.landmarks import LandmarkMap
from gym.mesh import Mesh
from gym.person import Person
from gym.render import surface as surfaces
from gym.skeleton import Configuration, Skeleton
from gym.wardrobe import dress

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Surface:
    """Triangles to draw: colours 0–255 (n, 3), corners (m, 3), and each vertex's bones and weights (n, 4)."""

    rest: F32
    colours: F32
    triangles: I32
    bones: I32
    weights: F32

    @classmethod
    def of(cls, mesh: Mesh) -> "Surface":
        """Keep each vertex's four strongest bones."""
        strongest = np.argsort(-mesh.weights, axis=1)[:, :4]
        weights = np.take_along_axis(mesh.weights, strongest, axis=1)
        weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        return cls(
            np.ascontiguousarray(mesh.vertices, dtype=np.float32),
            np.ascontiguousarray(mesh.colours, dtype=np.float32),
            np.ascontiguousarray(mesh.triangles, dtype=np.int32),
            np.ascontiguousarray(strongest, dtype=np.int32),
            np.ascontiguousarray(weights, dtype=np.float32),
        )

    def posed(self, skeleton: Skeleton, configuration: Configuration) -> F32:
        """Vertices in the room, metres (n, 3)."""
        rotations = configuration.rotations
        shifts = configuration.positions - np.einsum("bij,bj->bi", rotations, skeleton.joints)
        out = np.empty_like(self.rest)
        surfaces.skin(
            self.rest,
            self.bones,
            self.weights,
            np.ascontiguousarray(rotations, dtype=np.float32),
            np.ascontiguousarray(shifts, dtype=np.float32),
            out,
        )
        return out


class Figure:
    """A person's body: built once (a third of a second), then posed at will."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.anatomy: Anatomy = build(person.shape)
        self.skeleton = Skeleton(self.anatomy)
        self.landmarks = LandmarkMap(self.anatomy)
        self._surface: Surface | None = None

    @property
    def surface(self) -> Surface:
        """Clothes are sewn when the body is first drawn: truth alone needs none."""
        if self._surface is None:
            self._surface = Surface.of(dress(self.anatomy, self.person.look))
        return self._surface


@lru_cache(maxsize=16)
def figure(person: Person) -> Figure:
    """The figure of a person, shared by all cameras of this process."""
    return Figure(person)
