"""From what a timeline asks at an instant to a figure's bones, between stances too."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from gym.figure import Figure
from gym.kinematics import solve
from gym.movement import minimum_jerk, step_foot
from gym.pose import INDEX, PLANTED, STANDING, with_values
from gym.prone import Plant, plant_for
from gym.skeleton import Configuration, reach
from gym.timeline import Instant, Stance
from gym.walking import pose_at

_CROUCH = with_values(
    STANDING,
    {"knee": 132, "shin": 36, "heel": 18, "trunk": 78, "head": 50, "arm": 30, "arm_plane": 10, "elbow": 8},
)
_CROUCHED = 0.5  # of the way down, the crouch is reached
_HOP = 0.05  # metres that the feet are lifted on their way back
# Joints that may touch the floor, and how high they are when they do (metres).
_TOUCHING = {"ball": 0.008, "foot": 0.07, "calf": 0.06, "hand": 0.045, "lowerarm": 0.05}


def configure(figure: Figure, instant: Instant) -> Configuration | None:
    """The bones at an instant; None when nobody is there."""
    if instant.stance is None:
        return None
    if instant.before is None:
        return held(figure, instant.stance)
    before, after = instant.before, instant.stance
    if before.support == after.support == "feet" and before.placement == after.placement:
        return held(figure, _stepping(before, after, instant.blend))
    if before.support == "feet" and after.support != "feet":
        return _lowering(figure, before, after, instant.blend)
    if after.support == "feet" and before.support != "feet":
        return _lowering(figure, after, before, 1 - instant.blend)
    blended = figure.skeleton.blended(held(figure, before), held(figure, after), minimum_jerk(instant.blend))
    return _grounded(figure, blended)


def held(figure: Figure, stance: Stance) -> Configuration:
    """The bones of one stance, placed in the room."""
    skeleton = figure.skeleton
    if stance.walk is not None:
        at = _pelvis_standing(figure, stance.pose.tobytes())
        pose, placement = pose_at(
            stance.walk, stance.walk_time, stance.pose, at, skeleton.leg_length, skeleton.half_hips
        )
        return solve(skeleton, pose, "feet", "pelvis", None).placed(placement)
    plant = None
    if stance.first is not None:
        plant = _plant(figure, stance.first.tobytes(), stance.support)
    return solve(skeleton, stance.pose, stance.support, stance.anchor, plant).placed(stance.placement)


def _stepping(before: Stance, after: Stance, u: float) -> Stance:
    """From one pose on the feet to another; the left foot steps first, then the right."""
    pose = before.pose + (after.pose - before.pose) * minimum_jerk(u)
    for side, begin in (("l", 0.04), ("r", 0.5)):
        local = min(max((u - begin) / 0.46, 0.0), 1.0)
        planted = [INDEX[f"{name}_{side}"] for name in PLANTED]
        pose[planted] = before.pose[planted] if local < 1 else after.pose[planted]
        step_foot(pose, before.pose, after.pose, local, side)
    return Stance(pose, "feet", after.anchor, after.placement)


def _lowering(figure: Figure, standing: Stance, lying: Stance, u: float) -> Configuration:
    """Down to the floor: into a crouch with the feet where they are, then the feet jump back."""
    pose = standing.pose + (_CROUCH - standing.pose) * minimum_jerk(u / _CROUCHED)
    planted = [INDEX[f"{name}_{side}"] for name in PLANTED for side in "lr"]
    pose[planted] = standing.pose[planted]
    crouching = held(figure, replace(standing, pose=pose, anchor="both"))
    if u <= _CROUCHED:
        return crouching
    return _crossing(figure, crouching, held(figure, lying), (u - _CROUCHED) / (1 - _CROUCHED))


def _crossing(figure: Figure, a: Configuration, b: Configuration, u: float) -> Configuration:
    """From one configuration to another: the trunk turns over, hands and feet go straight, the feet in a hop."""
    skeleton, share = figure.skeleton, minimum_jerk(u)
    mixed = skeleton.blended(a, b, share)
    rotations = mixed.rotations
    places = mixed.positions
    ends = a.positions + (b.positions - a.positions) * share
    for limbs, lift in ((skeleton.legs, _HOP * math.sin(math.pi * share)), (skeleton.arms, 0.0)):
        for limb in limbs.values():
            end = ends[limb.end] + np.array([0.0, 0.0, lift])
            root = places[limb.upper]
            # Knees and elbows bend the way they do between the two.
            pole = ends[limb.lower] - (ends[limb.upper] + ends[limb.end]) / 2
            reach(limb, rotations, root, end, pole)
    return skeleton.forward(rotations, places[0])


def _grounded(figure: Figure, configuration: Configuration) -> Configuration:
    """Raised or lowered until the lowest of hands, knees and feet touches the floor."""
    index = figure.skeleton.index
    low = min(
        configuration.positions[index[f"{bone}_{side}"], 2] - height
        for bone, height in _TOUCHING.items()
        for side in "lr"
    )
    return Configuration(configuration.rotations, configuration.positions - np.array([0.0, 0.0, low]))


@lru_cache(maxsize=64)
def _plant(figure: Figure, first: bytes, support: str) -> Plant:
    pose = np.frombuffer(first, dtype=np.float64)
    return plant_for(figure.skeleton, pose, "hands" if support == "hands" else "forearms")


@lru_cache(maxsize=64)
def _pelvis_standing(figure: Figure, pose: bytes) -> tuple[float, float]:
    """How far ahead of the ankles, metres, and how high, of leg, the pelvis is in a standing pose."""
    skeleton = figure.skeleton
    standing = np.frombuffer(pose, dtype=np.float64) if pose else STANDING
    configuration = solve(skeleton, standing, "feet", "both", None)
    hips = (
        configuration.positions[skeleton.index["thigh_l"]]
        + configuration.positions[skeleton.index["thigh_r"]]
    ) / 2
    return -float(hips[1]), (float(hips[2]) - skeleton.ankle_height) / skeleton.leg_length
