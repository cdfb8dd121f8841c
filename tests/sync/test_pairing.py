"""The matching is the best there is: as good as trying everything."""

import itertools
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from services.sync.frames import Frame
from services.sync.pairing import partition, worth

TOLERANCE_US = 16


@st.composite
def streams(draw: st.DrawFn) -> list[Frame]:
    """Up to 12 frames of up to 3 cameras; no camera has two within the tolerance."""
    frames: list[Frame] = []
    for camera in draw(st.sampled_from(["a", "ab", "abc"])):
        at = draw(st.integers(0, 40))
        for sequence in range(draw(st.integers(0, 4))):
            frames.append(Frame(at, camera, 0, sequence))
            at += draw(st.integers(TOLERANCE_US + 1, 60))
    return sorted(frames)


def every_matching(frames: list[Frame]) -> Iterator[list[list[Frame]]]:
    """Every way to put frames into groups of one frame a camera that span the tolerance, crossing ones too."""
    if not frames:
        yield []
        return
    first, rest = frames[0], frames[1:]
    for size in range(len(rest) + 1):
        for others in itertools.combinations(rest, size):
            group = [first, *others]
            if len({frame.camera_id for frame in group}) < len(group):
                continue
            if group[-1].time_us - first.time_us > TOLERANCE_US:
                continue
            left = [frame for frame in rest if frame not in others]
            for matching in every_matching(left):
                yield [group, *matching]


@given(streams())
def test_no_matching_of_any_shape_is_worth_more(frames: list[Frame]) -> None:
    found = sum(worth(group, TOLERANCE_US) for group in partition(frames, TOLERANCE_US))
    best = max(sum(worth(group, TOLERANCE_US) for group in way) for way in every_matching(frames))
    assert found == best


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abcdefgh")), max_size=40))
def test_every_frame_is_in_one_group_and_groups_keep_the_rules(raw: list[tuple[int, str]]) -> None:
    frames = sorted(Frame(at, camera, 0, n) for n, (at, camera) in enumerate(raw))
    groups = partition(frames, TOLERANCE_US)
    assert [frame for group in groups for frame in group] == frames
    for group in groups:
        assert len({frame.camera_id for frame in group}) == len(group)
        assert group[-1].time_us - group[0].time_us <= TOLERANCE_US


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_the_worth_of_a_group_is_the_sum_over_its_pairs(times: list[int]) -> None:
    group = sorted(Frame(at, str(n), 0, 0) for n, at in enumerate(times))
    pairs = itertools.combinations(group, 2)
    assert worth(group, 1000) == sum(1000 - abs(a.time_us - b.time_us) for a, b in pairs)
