"""From pose variables to a body's bones.

In a body's own frame it faces -y and stands around the origin, on z = 0.
"""

from gym.pose import Anchor, Pose, Support
from gym.prone import Plant, lie
from gym.skeleton import Configuration, Skeleton
from gym.standing import stand


def solve(
    skeleton: Skeleton, pose: Pose, support: Support, anchor: Anchor, plant: Plant | None
) -> Configuration:
    """Bones for a pose. `plant` comes from `prone.plant_for` and is needed off the feet only."""
    if support == "feet":
        return stand(skeleton, pose, anchor)
    if plant is None:
        raise ValueError(f"a body on its {support} needs a plant: call plant_for() with its first pose")
    return lie(skeleton, pose, support, plant)
