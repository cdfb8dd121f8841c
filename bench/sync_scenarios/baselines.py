"""What others do, written anew for the comparison, on the same frames in the same order of arrival.

None of them knows of partial groups with bounded lateness; each stands for a family.
"""

from collections import deque
from collections.abc import Callable, Sequence

from bench.sync_scenarios.scoring import Key, key
from bench.sync_scenarios.traces import Shot

Baseline = Callable[[Sequence[Shot], Sequence[str], int], list[list[Key]]]
QUEUE = 10


def nearest_on_arrival(shots: Sequence[Shot], cameras: Sequence[str], tolerance_us: int) -> list[list[Key]]:
    """At each frame of the first camera take the newest frame of every other, if it *arrived* within the tolerance."""
    newest: dict[str, Shot] = {}
    groups = []
    for shot in sorted(shots, key=lambda s: s.arrival_us):
        newest[shot.camera_id] = shot
        if shot.camera_id == cameras[0]:
            near = [
                other
                for name in cameras[1:]
                if (other := newest.get(name)) and shot.arrival_us - other.arrival_us <= tolerance_us
            ]
            groups.append([key(shot), *map(key, near)])
    return groups


def approximate_time(shots: Sequence[Shot], cameras: Sequence[str], tolerance_us: int) -> list[list[Key]]:
    """As ROS 2's Python ApproximateTimeSynchronizer: on every arrival, the nearest stamp of each other queue.

    A group needs every camera; a later frame with an equal stamp replaces the earlier one; used frames leave the queue.
    """
    queues: dict[str, dict[int, Shot]] = {name: {} for name in cameras}
    groups = []
    for shot in sorted(shots, key=lambda s: s.arrival_us):
        queue = queues[shot.camera_id]
        queue[shot.stamp_us] = shot
        while len(queue) > QUEUE:
            del queue[min(queue)]
        chosen = [shot]
        for name in cameras:
            if name != shot.camera_id and queues[name]:
                stamp = min(queues[name], key=lambda at: abs(at - shot.stamp_us))
                if abs(stamp - shot.stamp_us) <= tolerance_us:
                    chosen.append(queues[name][stamp])
        if len(chosen) == len(cameras):
            groups.append([key(member) for member in chosen])
            for member in chosen:
                del queues[member.camera_id][member.stamp_us]
    return groups


def all_cameras(shots: Sequence[Shot], cameras: Sequence[str], tolerance_us: int) -> list[list[Key]]:
    """As DepthAI's Sync node: fronts of all queues; all within the threshold make a group, else the oldest is dropped."""
    queues: dict[str, deque[Shot]] = {name: deque(maxlen=4 * QUEUE) for name in cameras}
    groups = []
    for shot in sorted(shots, key=lambda s: s.arrival_us):
        queues[shot.camera_id].append(shot)
        while all(queues.values()):
            fronts = [queue[0] for queue in queues.values()]
            first = min(fronts, key=lambda s: s.stamp_us)
            if max(s.stamp_us for s in fronts) - first.stamp_us <= tolerance_us:
                groups.append([key(queue.popleft()) for queue in queues.values()])
            else:
                queues[first.camera_id].popleft()
    return groups


BASELINES: dict[str, Baseline] = {
    "nearest on arrival": nearest_on_arrival,
    "approximate time (ROS)": approximate_time,
    "all cameras (DepthAI)": all_cameras,
}
