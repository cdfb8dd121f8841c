"""Triangle meshes at rest: joining, cutting along a line, smoothing, measuring normals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Mesh:
    """Vertices at rest in metres (n, 3), bone weights (n, bones), colours 0–255 (n, 3), triangles (m, 3)."""

    vertices: Floats
    weights: Floats
    colours: Floats
    triangles: Ints

    def compact(self) -> "Mesh":
        """Without the vertices that no triangle uses."""
        used, triangles = np.unique(self.triangles, return_inverse=True)
        return Mesh(
            self.vertices[used],
            self.weights[used],
            self.colours[used],
            triangles.reshape(-1, 3).astype(np.int32),
        )

    def painted(self, colour: Sequence[float]) -> "Mesh":
        """All of one colour."""
        return replace(self, colours=np.tile(np.asarray(colour, dtype=np.float64), (len(self.vertices), 1)))

    def pushed(self, distance: Floats | float) -> "Mesh":
        """Moved outwards along the normals by `distance` metres, a number or one a vertex."""
        push = np.broadcast_to(np.asarray(distance, dtype=np.float64), (len(self.vertices),))
        return replace(self, vertices=self.vertices + self.normals() * push[:, None])

    def normals(self) -> Floats:
        """Unit vertex normals (n, 3), weighted by area."""
        v, t = self.vertices, self.triangles
        faces = np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]])
        out = np.zeros_like(v)
        for corner in range(3):
            np.add.at(out, t[:, corner], faces)
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    def smoothed(self, rounds: int, share: Floats | float = 0.5) -> "Mesh":
        """Each vertex moved towards its neighbours' mean by `share`, `rounds` times; edges of holes stay."""
        first, second, border = _edges(self)
        count = np.bincount(first, minlength=len(self.vertices)).astype(np.float64)[:, None]
        amount = np.broadcast_to(np.asarray(share, dtype=np.float64), (len(self.vertices),)).copy()
        amount[border] = 0.0
        v = self.vertices
        for _ in range(rounds):
            total = np.zeros_like(v)
            np.add.at(total, first, v[second])
            v = v + amount[:, None] * (total / np.maximum(count, 1) - v)
        return replace(self, vertices=v)

    def cut(self, field: Floats) -> "Mesh":
        """The part where `field` (n,) is positive, cut cleanly along its zero line."""
        keep = field > 0
        inside = keep[self.triangles].sum(axis=1)
        triangles = [self.triangles[inside == 3]]
        attributes = np.hstack([self.vertices, self.weights, self.colours])
        added: list[Floats] = []
        made: dict[tuple[int, int], int] = {}

        def crossing(a: int, b: int) -> int:
            key = (min(a, b), max(a, b))
            if key not in made:
                share = field[key[0]] / (field[key[0]] - field[key[1]])
                made[key] = len(attributes) + len(added)
                added.append((1 - share) * attributes[key[0]] + share * attributes[key[1]])
            return made[key]

        fresh: list[tuple[int, int, int]] = []
        for triangle in self.triangles[(inside == 1) | (inside == 2)]:
            a, b, c = (int(i) for i in triangle)
            # Turn the triangle until the corner that stands alone comes first.
            alone = bool(keep[[a, b, c]].sum() == 1)
            while keep[a] != alone:
                a, b, c = b, c, a
            ab, ac = crossing(a, b), crossing(a, c)
            fresh.extend([(a, ab, ac)] if alone else [(ab, b, c), (ab, c, ac)])
        if fresh:
            triangles.append(np.array(fresh, dtype=np.int32))
        everything = np.vstack([attributes, *added]) if added else attributes
        n = self.weights.shape[1]
        return Mesh(
            everything[:, :3], everything[:, 3 : 3 + n], everything[:, 3 + n :], np.vstack(triangles)
        ).compact()


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All of them in one."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.vstack([m.vertices for m in meshes]),
        np.vstack([m.weights for m in meshes]),
        np.vstack([m.colours for m in meshes]),
        np.vstack([m.triangles + s for m, s in zip(meshes, starts, strict=True)]).astype(np.int32),
    )


def loft(rings: Floats, weights: Floats, colours: Floats) -> Mesh:
    """Skin over rings of points (sections, around, 3), both ends closed by a fan."""
    sections, around, _ = rings.shape
    grid = np.arange(sections * around).reshape(sections, around)
    a, b = grid[:-1], grid[1:]
    right = np.roll(np.arange(around), -1)
    quads = np.stack([a, b, b[:, right], a, b[:, right], a[:, right]], axis=-1).reshape(-1, 3)
    ends = []
    for ring, flip in ((0, False), (sections - 1, True)):
        fan = np.stack(
            [np.full(around - 2, grid[ring, 0]), grid[ring, 2:], grid[ring, 1:-1]]
            if flip
            else [np.full(around - 2, grid[ring, 0]), grid[ring, 1:-1], grid[ring, 2:]],
            axis=-1,
        )
        ends.append(fan)
    triangles = np.vstack([quads, *ends]).astype(np.int32)
    return Mesh(rings.reshape(-1, 3), weights, colours, triangles)


def _edges(mesh: Mesh) -> tuple[Ints, Ints, Ints]:
    """Every edge in both directions, and the vertices on the rim of a hole."""
    t = mesh.triangles
    edges = np.vstack([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    both = np.vstack([edges, edges[:, ::-1]])
    unique, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    directed = np.unique(both, axis=0)
    return directed[:, 0], directed[:, 1], np.unique(unique[counts == 1])
