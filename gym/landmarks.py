"""MediaPipe's 33 landmarks on the body: each rides on one bone."""

import numpy as np
from numpy.typing import NDArray

from gym.anatomy import LEFT_EYE, RIGHT_EYE, SKIN, Anatomy, Floats, asset, weight_of
from gym.skeleton import Configuration

NAMES = (
    "nose",
    "left_eye_inner",
    "left_eye",
    "left_eye_outer",
    "right_eye_inner",
    "right_eye",
    "right_eye_outer",
    "left_ear",
    "right_ear",
    "mouth_left",
    "mouth_right",
    *(
        f"{side}_{joint}"
        for joint in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel")
        for side in ("left", "right")
    ),
    "left_foot_index",
    "right_foot_index",
)
INDEX = {name: i for i, name in enumerate(NAMES)}

_JOINTS = (
    # landmark, where it lies at rest, the bone that carries it
    ("shoulder", "upperarm", "upperarm"),
    ("elbow", "lowerarm", "lowerarm"),
    ("wrist", "hand", "hand"),
    ("pinky", "pinky_01", "hand"),
    ("index", "index_01", "hand"),
    ("thumb", "thumb_02", "thumb_01"),
    ("hip", "thigh", "pelvis"),
    ("knee", "calf", "calf"),
    ("ankle", "foot", "foot"),
)


class LandmarkMap:
    """Where the landmarks of one body lie at rest, and on which bones."""

    def __init__(self, anatomy: Anatomy) -> None:
        a = asset()
        places: dict[str, tuple[Floats, str]] = _face(anatomy)
        for side, s in (("left", "l"), ("right", "r")):
            for name, bone, carrier in _JOINTS:
                joint = anatomy.joints[a.index[f"{bone}_{s}"]]
                on = carrier if carrier == "pelvis" else f"{carrier}_{s}"
                places[f"{side}_{name}"] = joint, on
            places[f"{side}_heel"] = _heel(anatomy, s), f"foot_{s}"
            places[f"{side}_foot_index"] = anatomy.tails[a.index[f"ball_{s}"]], f"ball_{s}"
        self.rest = np.array([places[name][0] for name in NAMES])
        self.bones = np.array([a.index[places[name][1]] for name in NAMES])
        self._offsets = self.rest - anatomy.joints[self.bones]

    def of(self, configuration: Configuration) -> NDArray[np.float64]:
        """Room coordinates in metres (33, 3)."""
        turned = np.einsum("nij,nj->ni", configuration.rotations[self.bones], self._offsets)
        return np.asarray(turned + configuration.positions[self.bones])


def _face(anatomy: Anatomy) -> dict[str, tuple[Floats, str]]:
    a, v = asset(), anatomy.vertices
    head = np.flatnonzero(weight_of("head") > 0.9)
    skin = np.intersect1d(head, np.unique(a.triangles[a.groups == SKIN]))
    middle = skin[np.abs(v[skin, 0]) < 0.01]
    places = {"nose": v[middle[np.argmin(v[middle, 1])]]}
    for side, group, sign in (("left", LEFT_EYE, 1.0), ("right", RIGHT_EYE, -1.0)):
        eye: Floats = v[np.unique(a.triangles[a.groups == group])].mean(axis=0) + np.array([0, -0.012, 0])
        corner = np.array([sign * 0.014, 0, 0])
        places[f"{side}_eye"] = eye
        places[f"{side}_eye_inner"] = np.subtract(eye, corner)
        places[f"{side}_eye_outer"] = np.add(eye, corner)
        ear = skin[(a.ears[skin] > 0.5) & (sign * v[skin, 0] > 0)]
        places[f"{side}_ear"] = v[ear].mean(axis=0)
        lips = np.flatnonzero((a.lips > 0.5) & (sign * v[:, 0] > 0))
        lips = lips[v[lips, 1] < np.median(v[lips, 1]) + 0.02]
        places[f"mouth_{side}"] = v[lips[np.argmax(sign * v[lips, 0])]]
    return {name: (place, "head") for name, place in places.items()}


def _heel(anatomy: Anatomy, side: str) -> Floats:
    a, v = asset(), anatomy.vertices
    foot = np.flatnonzero(weight_of(f"foot_{side}") > 0.3)
    foot = np.intersect1d(foot, np.unique(a.triangles[a.groups == SKIN]))
    return np.asarray(v[foot[np.argmax(v[foot, 1] - 2 * v[foot, 2])]])
