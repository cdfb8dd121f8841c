"""Shoes: a loft round each foot, with a sole, bending at the ball; no toe shows."""

import numpy as np

from gym.anatomy import Anatomy, Floats, asset, weight_of
from gym.mesh import Mesh, loft
from gym.person import Colour

SHOE_TOP = 0.085  # height of the collar on a body of 1.76 m, metres
_SOLE = 0.020
_SECTIONS = np.array(
    [0.0, 0.02, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.68, 0.76, 0.84, 0.91, 0.96, 0.99, 1.0]
)
_SOLE_COLOUR = (236, 236, 232)


def shoe(anatomy: Anatomy, side: str, colour: Colour) -> Mesh:
    """One shoe at rest, weighted to the foot and ball bones."""
    a = asset()
    scale = anatomy.shape.height_m / 1.76
    sign = 1 if side == "l" else -1
    v = anatomy.vertices
    skin = np.zeros(len(v), dtype=bool)
    skin[np.unique(a.triangles[a.groups == 0])] = True
    foot = skin & (weight_of(f"foot_{side}", f"ball_{side}") > 0.5) & (v[:, 2] < 0.06 * scale)
    points = v[foot]
    heel, toe = float(points[:, 1].max()) + 0.008, float(points[:, 1].min()) - 0.010
    y = heel + _SECTIONS * (toe - heel)
    middle, half = _widths(points, y)
    # Rounded at both ends.
    ends = np.sqrt(np.clip(1 - np.clip(1 - _SECTIONS / 0.10, 0, 1) ** 2.2, 0.02, 1))
    ends *= np.sqrt(np.clip(1 - np.clip(1 - (1 - _SECTIONS) / 0.22, 0, 1) ** 2.4, 0.02, 1))
    half = (half + 0.007) * np.clip(ends, 0.25, 1)
    top = np.interp(
        _SECTIONS,
        [0, 0.05, 0.2, 0.34, 0.5, 0.75, 0.92, 1],
        [0.066, 0.084, 0.086, 0.09, 0.073, 0.052, 0.042, 0.026],
    )
    rings = np.array([_section(*values) for values in zip(y, middle, half, top * scale, strict=True)])
    if sign > 0:
        rings = rings[:, ::-1]
    weights = np.zeros((rings.shape[0] * rings.shape[1], len(a.bones)))
    ball = float(anatomy.joints[a.index[f"ball_{side}"], 1])
    bend = np.clip((ball + 0.02 - rings.reshape(-1, 3)[:, 1]) / 0.045, 0, 1)
    weights[:, a.index[f"foot_{side}"]] = 1 - bend
    weights[:, a.index[f"ball_{side}"]] = bend
    colours = np.tile(np.asarray(colour, dtype=np.float64), (len(weights), 1))
    colours[rings.reshape(-1, 3)[:, 2] < _SOLE * 0.99] = _SOLE_COLOUR
    return _outwards(loft(rings, weights, colours))


def _widths(points: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Middle and half width of the foot at each section, smoothed along it."""
    low, high = [], []
    for at in y:
        near = points[
            np.abs(points[:, 1] - np.clip(at, points[:, 1].min() + 0.03, points[:, 1].max() - 0.03)) < 0.02
        ]
        low.append(near[:, 0].min())
        high.append(near[:, 0].max())
    kernel = np.array([0.25, 0.5, 0.25])
    low_s = np.convolve(np.pad(low, 1, mode="edge"), kernel, mode="valid")
    high_s = np.convolve(np.pad(high, 1, mode="edge"), kernel, mode="valid")
    return (low_s + high_s) / 2, (high_s - low_s) / 2


def _section(y: float, middle: float, half: float, top: float) -> Floats:
    """A ring: flat sole, upright welt, then the upper as half a superellipse."""
    sole = [(-0.9, 0.0), (0.9, 0.0), (1.0, 0.006), (1.02, _SOLE * 0.95)]
    angles = np.linspace(0.0, np.pi, 11)
    upper_x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.7 * 0.97
    upper_z = _SOLE + (top - _SOLE) * np.sin(angles) ** 0.8
    ring = [*sole, *zip(upper_x, upper_z, strict=True), (-1.02, _SOLE * 0.95), (-1.0, 0.006)]
    return np.array([(middle + x * half, y, z) for x, z in ring])


def _outwards(mesh: Mesh) -> Mesh:
    """With its triangles facing away from its middle."""
    centre = mesh.vertices.mean(axis=0)
    facing = float(((mesh.vertices - centre) * mesh.normals()).sum())
    if facing < 0:
        return Mesh(mesh.vertices, mesh.weights, mesh.colours, mesh.triangles[:, ::-1].copy())
    return mesh
