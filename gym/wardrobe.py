"""Dresses a body: skin where it shows, face and hair, shirt and trousers with clean hems, shoes.

Garments are cut from the asset's tights, which follow the body without its detail, so that no toe or
muscle shows through cloth; the skin beneath a garment is left out.
"""

from dataclasses import replace

import numpy as np

from gym.anatomy import LEFT_EYE, RIGHT_EYE, SKIN, TIGHTS, Anatomy, Floats, asset, weight_of
from gym.mesh import Mesh, joined, loft
from gym.person import Colour, Look
from gym.rotation import unit
from gym.shoes import SHOE_TOP, shoe

_UNDER = 0.035  # skin goes on this far under a garment's edge, metres
_FAR = 1.0


def dress(anatomy: Anatomy, look: Look) -> Mesh:
    """The dressed body at rest."""
    fields = _Fields(anatomy, look)
    tights = _part(anatomy, TIGHTS)
    shirt = _shirt(tights, fields, look)
    trousers = _trousers(tights, fields, look)
    skin = _skin(anatomy, fields, look)
    parts = [skin, _hair(anatomy, look), *_eyes(anatomy, look), shirt, trousers]
    parts += [shoe(anatomy, side, look.shoes) for side in "lr"]
    if look.hair_style == "bun":
        parts.append(_bun(anatomy, look))
    return joined([part.compact() for part in parts])


class _Fields:
    """Signed distances, metres, roughly, to the garments' edges: positive where the garment covers."""

    def __init__(self, anatomy: Anatomy, look: Look) -> None:
        index, joints, v = asset().index, anatomy.joints, anatomy.vertices
        z = v[:, 2]
        scale = anatomy.shape.height_m / 1.76
        arm = weight_of("upperarm", "lowerarm", "hand", "index", "middle", "ring", "pinky", "thumb") > 0.5
        hips = float(joints[index["thigh_l"], 2])
        hem = hips + 0.01 * scale
        neck = joints[index["neck_01"]]
        self.arm = arm
        self.hem = hem
        self._collar = neck[2] + 0.028 * scale + 0.55 * (v[:, 1] - neck[1])
        upper, lower = (
            np.array([joints[index[f"{bone}_{s}"]] for s in "lr"]) for bone in ("upperarm", "lowerarm")
        )
        self._shoulders, self._arms = upper, lower - upper
        self._sleeve = look.sleeve
        self.shirt = self.shirt_on(v)
        knee, ankle = (float(joints[index[name], 2]) for name in ("calf_l", "foot_l"))
        leg_hem = knee + 0.07 * scale if look.shorts else ankle + 0.015 * scale
        self.trousers = np.where(arm, -_FAR, np.minimum(z - leg_hem, hem + 0.09 * scale - z))
        self.shoes = np.where(weight_of("foot", "ball") > 0.2, SHOE_TOP * scale - z, -_FAR)
        self.leg_hem = leg_hem

    def shirt_on(self, vertices: Floats) -> Floats:
        """Where the shirt covers, its edges being measured on the cloth (or skin) given."""
        collar = self._collar - vertices[:, 2]
        out = np.where(self.arm, collar, np.minimum(vertices[:, 2] - self.hem, collar))
        for shoulder, arm, sign in zip(self._shoulders, self._arms, (1, -1), strict=True):
            here = self.arm & (vertices[:, 0] * sign > 0)
            beyond = (vertices[here] - shoulder) @ unit(arm) - self._sleeve * np.linalg.norm(arm)
            out[here] = np.minimum(out[here], -beyond)
        return np.asarray(out)


def _part(anatomy: Anatomy, *groups: int) -> Mesh:
    a = asset()
    chosen = np.isin(a.groups, groups)
    n = len(anatomy.vertices)
    return Mesh(anatomy.vertices, a.weights, np.full((n, 3), 128.0), a.triangles[chosen])


def _shirt(tights: Mesh, fields: _Fields, look: Look) -> Mesh:
    loose = np.where(fields.arm, 0.014, 0.016)
    # Cloth bridges hollows: smoothed, then let out a little, more towards the hem.
    z = tights.vertices[:, 2]
    low = np.clip((1.25 - z) / 0.35, 0, 1) * ~fields.arm
    cloth = tights.smoothed(6, np.where(fields.arm, 0.25, 0.5)).pushed(loose + 0.012 * low)
    # Hem and sleeves are level on the cloth as it hangs, not on the body beneath.
    field = fields.shirt_on(cloth.vertices)
    return _trimmed(cloth, field, look.shirt, 0.014)


def _trousers(tights: Mesh, fields: _Fields, look: Look) -> Mesh:
    z = tights.vertices[:, 2]
    flare = np.clip((0.5 - z) / 0.4, 0, 1)
    cloth = tights.smoothed(5, 0.45).pushed(0.009 + (0.012 if look.shorts else 0.009) * flare)
    return cloth.cut(fields.trousers).painted(look.trousers)


def _trimmed(cloth: Mesh, field: Floats, colour: Colour, width: float) -> Mesh:
    """A garment cut from cloth, with a darker band of `width` metres along its edges."""
    # The distance to the edge rides along as a colour, so that the cut garment still knows it.
    measured = replace(cloth, colours=np.repeat(field[:, None], 3, axis=1)).cut(field)
    inside = measured.colours[:, 0] - width
    band = measured.cut(-inside).painted(tuple(0.78 * c for c in colour))
    return joined([measured.cut(inside).painted(colour), band])


def _skin(anatomy: Anatomy, fields: _Fields, look: Look) -> Mesh:
    a = asset()
    body = _part(anatomy, SKIN)
    hidden = (fields.shirt > _UNDER) | (fields.trousers > _UNDER) | (fields.shoes > 0.02)
    shown = ~hidden[body.triangles].all(axis=1)
    colours = np.tile(np.asarray(look.skin, dtype=np.float64), (len(body.vertices), 1))
    head = weight_of("head") > 0.5
    _blend(colours, a.lips * 0.6 * head, np.asarray(look.skin) * (0.80, 0.62, 0.62))
    _blend(colours, a.eyelids * 0.15, np.asarray(look.skin) * 0.7)
    # A hint of colour on nose and cheeks, and a brow no thicker than a brow.
    for eye in _eye_centres(anatomy):
        offset = body.vertices - eye
        across, up = np.abs(offset[:, 0]) / 0.024, (offset[:, 2] - 0.021) / 0.0045
        brow = np.exp(-(across**4) - up**2) * (offset[:, 1] < 0.01) * head
        _blend(colours, 0.6 * brow, np.asarray(look.hair, dtype=np.float64))
    socks = (weight_of("foot", "calf") > 0.5) & (body.vertices[:, 2] < SHOE_TOP * 1.6)
    colours[socks] = (222, 222, 224)
    return Mesh(body.vertices, body.weights, colours, body.triangles[shown]).compact()


def _eye_centres(anatomy: Anatomy) -> list[Floats]:
    a = asset()
    return [
        anatomy.vertices[np.unique(a.triangles[a.groups == group])].mean(axis=0)
        for group in (LEFT_EYE, RIGHT_EYE)
    ]


def _eyes(anatomy: Anatomy, look: Look) -> list[Mesh]:
    eyes = []
    for group, centre in zip((LEFT_EYE, RIGHT_EYE), _eye_centres(anatomy), strict=True):
        mesh = _part(anatomy, group).compact()
        offset = mesh.vertices - centre
        radius = float(np.linalg.norm(offset, axis=1).max())
        iris = (np.hypot(offset[:, 0], offset[:, 2]) < 0.5 * radius) & (offset[:, 1] < 0)
        white = mesh.painted((226, 220, 214))
        white.colours[iris] = np.asarray(look.hair) * 0.6 + 14
        eyes.append(white)
    return eyes


def _hair(anatomy: Anatomy, look: Look) -> Mesh:
    """Short hair: the scalp above a hairline, let out a little towards the crown."""
    a = asset()
    body = _part(anatomy, SKIN)
    v = body.vertices
    head = weight_of("head") > 0.9
    low, front = float(anatomy.joints[a.index["head"], 2]), float(v[head, 1].min())
    height, depth = float(v[head, 2].max()) - low, float(v[head, 1].max()) - front
    up, back = (v[:, 2] - low) / height, (v[:, 1] - front) / depth
    line = np.interp(
        back,
        [0.0, 0.15, 0.30, 0.40, 0.47, 0.54, 0.62, 0.72, 1.0],
        [0.76, 0.74, 0.70, 0.58, 0.34, 0.26, 0.05, -0.25, -0.35],
    )
    field = np.where(weight_of("head") > 0.4, (up - line) * height, -0.1)
    field = np.minimum(field, (0.4 - a.ears) * 0.1)
    thick = 0.002 + 0.011 * np.clip(field / 0.05, 0, 1)
    hair = body.smoothed(3, np.where(field > -0.02, 0.5, 0.0)).pushed(thick).cut(field)
    return hair.painted(look.hair)


def _bun(anatomy: Anatomy, look: Look) -> Mesh:
    a = asset()
    head = weight_of("head") > 0.9
    v = anatomy.vertices[head]
    low = float(anatomy.joints[a.index["head"], 2])
    centre = np.array([0.0, v[:, 1].max() - 0.004, low + 0.66 * (v[:, 2].max() - low)])
    around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    tilt = np.linspace(0.15, np.pi - 0.15, 8)
    ring = np.stack(
        [
            np.sin(tilt)[:, None] * np.cos(around),
            np.sin(tilt)[:, None] * np.sin(around),
            np.repeat(np.cos(tilt)[:, None], 12, axis=1),
        ],
        axis=-1,
    )
    weights = np.zeros((ring.shape[0] * 12, len(a.bones)))
    weights[:, a.index["head"]] = 1.0
    ball = loft(centre + ring * (0.042, 0.036, 0.042), weights, np.zeros((len(weights), 3)))
    return ball.painted(tuple(0.95 * c for c in look.hair))


def _blend(colours: Floats, share: Floats, colour: Floats) -> None:
    colours += share[:, None] * (np.asarray(colour) - colours)
