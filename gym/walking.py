"""Walking between a door and a spot: footsteps planned ahead, so that no foot slides, then a turn on the spot."""

import math
from dataclasses import dataclass
from functools import lru_cache

from gym.movement import minimum_jerk
from gym.pose import INDEX, Placement, Pose

_STEP = 0.52  # seconds
_TURN = 1.1  # seconds to turn on the spot
_STANCE = 0.095  # metres of a foot from the line walked
_SWING_LIFT = 0.055  # of leg
_WALKING_HEIGHT = 0.965  # pelvis above ankles, of leg


@dataclass(frozen=True)
class Walk:
    """From the door to the spot, or back, in `seconds`, ending (or beginning) turned to the front camera."""

    door: tuple[float, float]
    spot: tuple[float, float]
    seconds: float
    inwards: bool

    def body(self, t: float) -> tuple[float, float, float]:
        """Where the pelvis is, metres, and its heading, degrees."""
        going = self.seconds - _TURN
        t = min(max(t, 0.0), self.seconds)
        s = t if self.inwards else self.seconds - t
        progress = _eased(s / going)
        x = self.door[0] + (self.spot[0] - self.door[0]) * progress
        y = self.door[1] + (self.spot[1] - self.door[1]) * progress
        across, along = self.spot[0] - self.door[0], self.spot[1] - self.door[1]
        if not self.inwards:
            across, along = -across, -along
        course = math.degrees(math.atan2(across, -along))
        return x, y, course * (1 - minimum_jerk((s - going + 0.25) / (_TURN - 0.1)))


def pose_at(
    walk: Walk, t: float, standing: Pose, pelvis: tuple[float, float], leg: float, half_hips: float
) -> tuple[Pose, Placement]:
    """The pose at `t` seconds into the walk, to be solved with the pelvis as anchor, and where.

    `pelvis`: how far forward of its ankles, metres, and how high, of leg, the standing pose holds it.
    """
    x, y, heading = walk.body(t)
    pose = standing.copy()
    ahead = walk.body(t + 0.1)
    behind = walk.body(t - 0.1)
    span = min(t + 0.1, walk.seconds) - max(t - 0.1, 0.0)
    speed = math.hypot(ahead[0] - behind[0], ahead[1] - behind[1]) / max(span, 1e-3)
    stride = min(1.0, speed / 1.0)
    turn = math.radians(heading)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        fx, fy, yaw, lift = _foot(walk, t, side, standing[INDEX[f"stance_{side}"]] * half_hips)
        dx, dy = fx - x, fy - y
        across = dx * math.cos(turn) + dy * math.sin(turn)
        forward = dx * math.sin(turn) - dy * math.cos(turn)
        pose[INDEX[f"stance_{side}"]] = sign * across / half_hips
        pose[INDEX[f"foot_forward_{side}"]] = (forward - pelvis[0]) / leg
        pose[INDEX[f"foot_lift_{side}"]] = lift * _SWING_LIFT
        pose[INDEX[f"toe_out_{side}"]] = standing[INDEX[f"toe_out_{side}"]] + sign * (yaw - heading)
        # The heel leaves the floor as the body passes over the foot.
        late = max(0.0, -(forward / leg) - 0.10) / 0.25
        pose[INDEX[f"heel_{side}"]] = 34 * min(late, 1.2) * stride
        pose[INDEX[f"arm_{side}"]] += -70 * stride * (forward / leg)
        pose[INDEX[f"arm_plane_{side}"]] += (12 - pose[INDEX[f"arm_plane_{side}"]]) * stride
        pose[INDEX[f"elbow_{side}"]] += 12 * stride
    pose[INDEX["trunk"]] += 2.5 * stride
    bob = 0.012 * math.cos(4 * math.pi * t / (2 * _STEP)) * stride
    pose[INDEX["height"]] = pelvis[1] + stride * (_WALKING_HEIGHT - pelvis[1] - 0.012) + bob
    return pose, Placement(x, y, heading)


def _eased(u: float) -> float:
    """Distance over time with a gentle start and stop and an even middle."""
    u = min(max(u, 0.0), 1.0)
    ramp = 0.2
    area = 1 - ramp
    if u < ramp:
        return u * u / (2 * ramp) / area
    if u > 1 - ramp:
        return 1 - (1 - u) ** 2 / (2 * ramp) / area
    return (u - ramp / 2) / area


def _foot(walk: Walk, t: float, side: str, half_stance: float) -> tuple[float, float, float, float]:
    """x, y, yaw, and lift 0..1 of one foot at a time."""
    steps = _footsteps(walk, side, half_stance)
    for lift_at, land_at, a, b in steps:
        if t < lift_at:
            return *a, 0.0
        if t < land_at:
            u = (t - lift_at) / (land_at - lift_at)
            over = minimum_jerk((u - 0.1) / 0.8)
            far = math.hypot(b[0] - a[0], b[1] - a[1]) + abs(b[2] - a[2]) / 90
            arc = minimum_jerk(u / 0.4) * minimum_jerk((1 - u) / 0.4) * min(1.0, far / 0.15)
            return (
                a[0] + (b[0] - a[0]) * over,
                a[1] + (b[1] - a[1]) * over,
                a[2] + (b[2] - a[2]) * over,
                arc,
            )
    return *steps[-1][3], 0.0


Plant = tuple[float, float, float]


@lru_cache(maxsize=256)
def _footsteps(walk: Walk, side: str, half_stance: float) -> tuple[tuple[float, float, Plant, Plant], ...]:
    """(lifts, lands, from, to) of one foot: it lands where the body will be midway through its stance."""
    sign = 1.0 if side == "l" else -1.0

    def plant(t: float, still: bool) -> Plant:
        x, y, yaw = walk.body(t)
        turn = math.radians(yaw)
        out = sign * (half_stance if still else _STANCE)
        return x + out * math.cos(turn), y + out * math.sin(turn), yaw

    first = 0.0 if side == "l" else _STEP
    steps = []
    at = first
    where = plant(0.0, not walk.inwards)
    while at + _STEP < walk.seconds + 1e-9:
        next_lift = at + 2 * _STEP
        last = next_lift + _STEP >= walk.seconds + 1e-9
        middle = walk.seconds if last else (at + _STEP + next_lift) / 2
        there = plant(middle, last and walk.inwards)
        steps.append((at, at + _STEP, where, there))
        where = there
        at = next_lift
    if not steps:
        steps.append((0.0, walk.seconds, where, plant(walk.seconds, True)))
    return tuple(steps)
