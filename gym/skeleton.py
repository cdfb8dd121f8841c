"""The bones of one body: forward kinematics, two-bone inverse kinematics, and a hand's curled fingers."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gym.anatomy import Anatomy, asset
from gym.pose import Placement
from gym.rotation import FORWARD, Matrix, Vector, about, about_z, frame, slerp, unit

Rotations = NDArray[np.float64]

FINGERS = ("index", "middle", "ring", "pinky", "thumb")
# How far each of a finger's three joints closes, degrees: a relaxed hand, and one round a handle.
_RELAXED = (18.0, 22.0, 14.0)
_GRIP = (62.0, 70.0, 45.0)
_FULL_REACH = 0.9995  # of a limb's length: beyond it the joint would snap straight


@dataclass(frozen=True)
class Configuration:
    """Every bone's rotation from rest (bones, 3, 3) and its joint's place in the room, metres (bones, 3)."""

    rotations: Rotations
    positions: Vector

    def placed(self, placement: Placement) -> "Configuration":
        """The same body moved to `placement`."""
        turn = about_z(placement.turn)
        shift = np.array([placement.x, placement.y, 0.0])
        return Configuration(turn @ self.rotations, self.positions @ turn.T + shift)


@dataclass(frozen=True)
class Limb:
    """Two bones and the way they fold at rest."""

    upper: int
    lower: int
    end: int
    upper_length: float
    lower_length: float
    upper_rest: Matrix
    lower_rest: Matrix

    @property
    def length(self) -> float:
        """Stretched, metres."""
        return self.upper_length + self.lower_length

    def span(self, flexion: float) -> float:
        """Distance from root to end at a joint flexion in degrees (law of cosines)."""
        a, b = self.upper_length, self.lower_length
        return math.sqrt(a * a + b * b + 2 * a * b * math.cos(math.radians(flexion)))


class Skeleton:
    """The bones of an anatomy."""

    def __init__(self, anatomy: Anatomy, *, grip: bool = False) -> None:
        a = asset()
        self.index = a.index
        self.parents = a.parents
        self.joints = anatomy.joints
        self.tails = anatomy.tails
        self.offsets = np.array(
            [j - self.joints[max(p, 0)] for j, p in zip(self.joints, a.parents, strict=True)]
        )
        self.hip_centre = (self.rest("thigh_l") + self.rest("thigh_r")) / 2
        self.half_hips = abs(float(self.rest("thigh_l")[0]))
        self.half_shoulders = abs(float(self.rest("upperarm_l")[0]))
        self.ankle_height = float(self.rest("foot_l")[2])
        self.legs = {s: self._limb(f"thigh_{s}", f"calf_{s}", f"foot_{s}") for s in "lr"}
        self.arms = {s: self._limb(f"upperarm_{s}", f"lowerarm_{s}", f"hand_{s}") for s in "lr"}
        self._hands = {s: self._hand(s, _GRIP if grip else _RELAXED) for s in "lr"}
        in_hands = {i for fingers, *_ in self._hands.values() for i in fingers}
        self._chain = [i for i in range(1, len(a.bones)) if i not in in_hands]

    def rest(self, bone: str) -> Vector:
        """Where a bone begins at rest, metres (3,)."""
        return np.asarray(self.joints[self.index[bone]])

    def forward(self, rotations: Rotations, root: Vector) -> Configuration:
        """Joints from rotations, the root joint being at `root`; fingers follow their hands."""
        positions = np.empty_like(self.joints)
        positions[0] = root
        for i in self._chain:
            p = self.parents[i]
            positions[i] = positions[p] + rotations[p] @ self.offsets[i]
        for side, (fingers, curls, places) in self._hands.items():
            hand = self.index[f"hand_{side}"]
            rotations[fingers] = rotations[hand] @ curls
            positions[fingers] = positions[hand] + places @ rotations[hand].T
        return Configuration(rotations, positions)

    def point(self, configuration: Configuration, bone: str, rest: Vector) -> Vector:
        """Where a point given at rest is, carried by `bone`."""
        i = self.index[bone]
        return np.asarray(configuration.positions[i] + configuration.rotations[i] @ (rest - self.joints[i]))

    def blended(self, a: Configuration, b: Configuration, share: float) -> Configuration:
        """Between two configurations: bones keep their length."""
        rotations = np.array([slerp(p, q, share) for p, q in zip(a.rotations, b.rotations, strict=True)])
        return self.forward(rotations, (1 - share) * a.positions[0] + share * b.positions[0])

    def _limb(self, upper: str, lower: str, end: str) -> Limb:
        u, v, w = (self.rest(n) for n in (upper, lower, end))
        first, second = v - u, w - v
        # A leg's knee folds forwards; an arm folds the way it is bent at rest.
        pole = FORWARD if upper.startswith("thigh") else second - unit(first) * float(unit(first) @ second)
        return Limb(
            upper=self.index[upper],
            lower=self.index[lower],
            end=self.index[end],
            upper_length=float(np.linalg.norm(first)),
            lower_length=float(np.linalg.norm(second)),
            upper_rest=frame(first, pole).T,
            lower_rest=frame(second, pole).T,
        )

    def palm(self, side: str) -> tuple[Vector, Vector]:
        """At rest: where the hand points, and the direction its palm faces."""
        middle, index, pinky = (self.rest(f"{f}_01_{side}") for f in ("middle", "index", "pinky"))
        along = unit(middle - self.rest(f"hand_{side}"))
        facing = unit(np.cross(along, pinky - index))
        return along, -facing if side == "l" else facing

    def _hand(self, side: str, curl: tuple[float, ...]) -> tuple[list[int], Rotations, Vector]:
        """Finger bones with their rotations and places relative to the hand."""
        hand = self.index[f"hand_{side}"]
        along, facing = self.palm(side)
        axis = unit(np.cross(along, facing))
        fingers: list[int] = []
        turns: dict[int, Matrix] = {hand: np.eye(3)}
        places: dict[int, Vector] = {hand: np.zeros(3)}
        for joint, degrees in enumerate(curl, start=1):
            for finger in FINGERS:
                i = self.index[f"{finger}_0{joint}_{side}"]
                p = self.parents[i]
                share = 0.25 if finger == "thumb" else 1.0
                places[i] = places[p] + turns[p] @ self.offsets[i]
                turns[i] = turns[p] @ about(axis, degrees * share)
                fingers.append(i)
        return fingers, np.array([turns[i] for i in fingers]), np.array([places[i] for i in fingers])

    @cached_property
    def leg_length(self) -> float:
        """Thigh and shank, metres."""
        return self.legs["l"].length


def reach(limb: Limb, rotations: Rotations, root: Vector, end: Vector, pole: Vector) -> float:
    """Turn a limb's two bones so that it goes from `root` to `end`, folding towards `pole`.

    Returns how far beyond the limb's reach the end was, metres (0 when it was within).
    """
    a, b = limb.upper_length, limb.lower_length
    across = end - root
    wanted = math.sqrt(float(across @ across))
    distance = min(max(wanted, abs(a - b) + 1e-6), limb.length * _FULL_REACH)
    towards = across / wanted
    square = unit(pole - towards * float(pole @ towards))
    cosine = (a * a + distance * distance - b * b) / (2 * a * distance)
    sine = math.sqrt(max(0.0, 1 - cosine * cosine))
    upper = towards * cosine + square * sine
    lower = towards * distance - upper * a
    rotations[limb.upper] = frame(upper, square) @ limb.upper_rest
    rotations[limb.lower] = frame(lower, square) @ limb.lower_rest
    return abs(wanted - distance)


def point_limb(limb: Limb, rotations: Rotations, direction: Vector, pole: Vector, flexion: float) -> Vector:
    """Turn a limb by its upper bone's direction and its joint's flexion; returns the lower bone's direction."""
    axes = frame(direction, pole)
    c, s = math.cos(math.radians(flexion)), math.sin(math.radians(flexion))
    lower = axes @ np.array([s, 0.0, c])
    folded = axes @ np.array([c, 0.0, -s])
    rotations[limb.upper] = axes @ limb.upper_rest
    rotations[limb.lower] = frame(lower, folded) @ limb.lower_rest
    return np.asarray(lower)
