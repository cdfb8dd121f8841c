"""What makes people, repetitions and moments differ: habits, excursions, timing, sway. All seeded."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym.movement import Keys
from gym.noise import draw, sway
from gym.pose import INDEX, PLANTED, Pose, indices

# How much people differ in how they carry themselves (SD; units of gym/pose.py).
_HABITS = {"stance": 0.05, "toe_out": 2.5, "arm_plane": 3.0, "elbow": 2.0, "head": 1.5, "arm": 1.5}
# How much anybody wanders while still (SD).
_SWAY = {
    "trunk": 0.5,
    "trunk_side": 0.4,
    "trunk_turn": 0.6,
    "head": 1.2,
    "head_turn": 2.0,
    "hips_side": 0.012,
    "arm_l": 0.9,
    "arm_r": 0.9,
    "elbow_l": 0.9,
    "elbow_r": 0.9,
}
# How much one repetition differs from the next (SD): of its excursion, and of each phase's time.
_EXCURSION, _TIMING = 0.02, 0.05
# What must agree with the floor, or says how a leg is held, is the same in every repetition.
_STEADY = [i for name in (*PLANTED, "free") for i in indices(name)]


@dataclass(frozen=True)
class Variation:
    """`amount` scales all of it; 0 is a machine."""

    amount: float
    seed: int

    def habit(self, person: int) -> Pose:
        """What one person adds to every pose, whatever the seed."""
        delta = np.zeros(len(INDEX))
        rng = draw("habit", person)
        for name, size in _HABITS.items():
            both = np.clip(rng.standard_normal(), -1.8, 1.8)
            for i in indices(name):
                each = np.clip(rng.standard_normal(), -1.8, 1.8)
                # Feet are set alike: a mirrored repetition must find them where it left them.
                delta[i] += size * (both if name in PLANTED else (both + each) / math.sqrt(2))
        return np.asarray(delta * self.amount)

    def swaying(self, pose: Pose, person: int, t: float) -> Pose:
        """A pose as it is held at a time: nobody stands quite still."""
        if self.amount == 0:
            return pose
        pose = pose.copy()
        for name, size in _SWAY.items():
            pose[INDEX[name]] += self.amount * size * sway(t, self.seed, person, name)
        return pose

    def excursions(self, keys: Keys, *repetition: int) -> Keys:
        """Key poses of one repetition, a little more or less far from `start` than asked."""
        start = keys["start"]
        rng = draw("excursion", self.seed, *repetition)
        both = rng.standard_normal()
        varied = {}
        for name, pose in keys.items():
            each = np.clip(0.5 * rng.standard_normal(len(pose)) + both, -2.0, 1.5)
            each[_STEADY] = 0.0
            varied[name] = start + (pose - start) * (1 + self.amount * _EXCURSION * each)
        return varied

    def timing(self, seconds: NDArray[np.float64], *section: int) -> NDArray[np.float64]:
        """Phases' seconds (repetitions, 4), each a little longer or shorter, all together as long as asked."""
        rng = draw("timing", self.seed, *section)
        varied = seconds * (1 + self.amount * _TIMING * np.clip(rng.standard_normal(seconds.shape), -2, 2))
        return np.asarray(varied * (seconds.sum() / varied.sum()))
