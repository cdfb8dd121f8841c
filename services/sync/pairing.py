"""Which frames are of one instant: optimal interval matching.

A group is a run of consecutive frames (in time, over all cameras) that spans at most the tolerance and has at most one
frame a camera. Its worth is the sum over its pairs of (tolerance - distance): so more cameras are worth more, nearer
ones too, and a group is never split to gain a better middle. The best partition of n frames into such runs is found by
dynamic programming in O(n * cameras), as adding a frame to a run changes its worth by a sum that is kept.

Where no camera has two frames within the tolerance, no matching of any shape is worth more (the tests compare with
brute force): crossing groups can be uncrossed at no loss.
"""

from collections.abc import Sequence

from services.sync.frames import Frame


def first_group(frames: Sequence[Frame], tolerance_us: int) -> int:
    """Length of the first group in the best partition of `frames`, which are sorted and not empty.

    Among equally good partitions the one with the longer first group wins.
    """
    best, length = _solve(frames, tolerance_us)
    del best
    return length[0]


def partition(frames: Sequence[Frame], tolerance_us: int) -> list[list[Frame]]:
    """The best partition of sorted `frames` into groups."""
    _, length = _solve(frames, tolerance_us)
    groups, at = [], 0
    while at < len(frames):
        groups.append(list(frames[at : at + length[at]]))
        at += length[at]
    return groups


def worth(group: Sequence[Frame], tolerance_us: int) -> int:
    """Sum over the pairs of a sorted group of (tolerance - distance), microseconds."""
    total, times = 0, 0
    for count, frame in enumerate(group):
        total += count * (tolerance_us - frame.time_us) + times
        times += frame.time_us
    return total


def _solve(frames: Sequence[Frame], tolerance_us: int) -> tuple[list[int], list[int]]:
    """For each start: worth of the best partition of what follows, and length of its first group."""
    count = len(frames)
    best = [0] * (count + 1)
    length = [1] * count
    for start in range(count - 1, -1, -1):
        first = frames[start]
        cameras = {first.camera_id}
        best[start] = best[start + 1]
        # Times are taken from the first frame of the run on, which keeps the sums small.
        run_worth, times = 0, 0
        for stop in range(start + 1, count):
            frame = frames[stop]
            apart = frame.time_us - first.time_us
            if apart > tolerance_us or frame.camera_id in cameras:
                break
            cameras.add(frame.camera_id)
            run_worth += (stop - start) * (tolerance_us - apart) + times
            times += apart
            if run_worth + best[stop + 1] >= best[start]:
                best[start] = run_worth + best[stop + 1]
                length[start] = stop - start + 1
    return best, length


def is_safe_now(group: Sequence[Frame], next_us: dict[str, int]) -> bool:
    """Whether a group of *all* active cameras is certain before anything later is known.

    `next_us`: the earliest time the next frame of each camera can have. To pull the later part of the group towards
    frames to come, each of these would replace a member of the same camera; none can be nearer if it lies at least as
    far behind the group's last frame as that member lies before it.
    """
    last_us = group[-1].time_us
    return all(next_us[frame.camera_id] + frame.time_us >= 2 * last_us for frame in group)
