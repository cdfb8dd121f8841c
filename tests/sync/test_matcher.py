"""The join: certain, ordered, complete, and the same whatever the order of arrival."""

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sync.frames import Frame, TieBreaker
from services.sync.groups import Group, MatchRules, Missing
from services.sync.matcher import SessionMatcher

PERIOD_US = 33_333
START_US = 1_700_000_000_000_000


def frame(camera: str, tick: int, *, phase_us: int = 0, delay_us: int = 30_000, epoch: int = 0) -> Frame:
    at = START_US + tick * PERIOD_US + phase_us
    return Frame(at, camera, epoch, tick, arrival_us=at + delay_us)


def run(matcher: SessionMatcher, frames: list[Frame], *, until_us: int = 0) -> list[tuple[int, Group]]:
    """Feed frames as they arrive, waking the matcher when it asks to; returns (emission time, group)."""
    out: list[tuple[int, Group]] = []
    now_us = 0
    arrivals = sorted(frames, key=lambda f: f.arrival_us)
    for arriving in [*arrivals, None]:
        stop_us = arriving.arrival_us if arriving else until_us or now_us + 2_000_000
        while (wake_us := matcher.next_wake_us(now_us) if now_us else None) is not None and wake_us < stop_us:
            now_us = max(now_us, wake_us)
            groups = matcher.poll(now_us)
            out += [(now_us, group) for group in groups]
            if not groups:
                now_us += 1000
        now_us = stop_us
        if arriving:
            if not matcher.add(arriving):
                matcher.missed(arriving)
            out += [(now_us, group) for group in matcher.poll(now_us)]
    return out


def ticks_of(group: Group) -> set[int]:
    return {member.sequence for member in group.members}


def test_a_lone_camera_never_waits() -> None:
    out = run(SessionMatcher(MatchRules()), [frame("a", n) for n in range(100)])
    assert len(out) == 100
    assert all(now_us == group.members[0].arrival_us for now_us, group in out)


def test_full_groups_leave_with_their_last_member() -> None:
    frames = [
        frame(c, n, phase_us=p, delay_us=d)
        for n in range(100)
        for c, p, d in (("a", 0, 30_000), ("b", 5000, 45_000))
    ]
    out = run(SessionMatcher(MatchRules()), frames)
    full = [(now_us, group) for now_us, group in out if len(group.members) == 2]
    # Nobody knew of the second camera when the first frame came.
    assert len(full) == 99
    assert all(now_us == max(m.arrival_us for m in g.members) for now_us, g in full[5:])


def test_two_cameras_one_dies() -> None:
    frames = [frame("a", n) for n in range(120)] + [frame("b", n, phase_us=3000) for n in range(60)]
    out = run(SessionMatcher(MatchRules()), frames)
    moments = [now_us for now_us, _ in out]
    assert max(b - a for a, b in itertools.pairwise(moments)) < 300_000
    assert [g.members[0].sequence for _, g in out[1:]] == list(range(120))
    reasons = [g.missing.get("b") for _, g in out if ticks_of(g) >= {60}]
    assert reasons == [Missing.LATE]
    assert out[-1][1].missing == {"b": Missing.IDLE}


def test_a_camera_that_joins_is_said_to_join() -> None:
    matcher = SessionMatcher(MatchRules())
    early = [frame("a", n, delay_us=30_000) for n in range(40)]
    joining = [frame("b", n, delay_us=30_000) for n in range(20, 40)]
    slow = frame("a", 19, delay_us=75_000)
    out = run(matcher, [f for f in early if f.sequence != 19] + [slow, *joining])
    late = next(g for _, g in out if g.members[0].sequence == 18)
    assert late.missing == {}
    assert any(len(g.members) == 2 for _, g in out)


def test_a_named_camera_that_never_came_is_idle_and_waited_for_only_at_the_very_start() -> None:
    out = run(SessionMatcher(MatchRules(), ["a", "never"]), [frame("a", n) for n in range(30)])
    assert [g.members[0].sequence for _, g in out] == list(range(30))
    assert all(g.missing == {"never": Missing.IDLE} for _, g in out)
    assert all(now_us == g.members[0].arrival_us for now_us, g in out[9:])


def test_frames_that_overtake_each_other_are_put_in_order() -> None:
    rng = random.Random(7)
    frames = [
        frame(c, n, phase_us=p, delay_us=20_000 + (150_000 if rng.random() < 0.05 else rng.randrange(30_000)))
        for n in range(600)
        for c, p in (("a", 0), ("b", 4000), ("c", 9000))
    ]
    out = run(SessionMatcher(MatchRules(lateness_min_us=200_000, lateness_max_us=200_000)), frames)
    whole = [g for _, g in out if len(g.members) == 3 and len(ticks_of(g)) == 1]
    assert len(whole) >= 599
    times = [g.time_us for _, g in out]
    assert times == sorted(set(times))


def test_named_cameras_are_together_from_the_first_set_on() -> None:
    rig = (("a", 0, 20_000), ("b", 5000, 60_000))
    frames = [frame(c, n, phase_us=p, delay_us=d) for n in range(9) for c, p, d in rig]
    out = run(SessionMatcher(MatchRules(), ["a", "b"]), frames)
    assert [len(g.members) for _, g in out] == [2] * 9


def test_whoever_takes_over_expects_the_cameras_that_were_there() -> None:
    matcher = SessionMatcher(MatchRules())
    first = frame("a", 0)
    matcher.restore(START_US - 1, [first], first.arrival_us)
    matcher.cameras.expect(["b"], first.arrival_us + 250_000)
    assert not matcher.poll(first.arrival_us)
    assert matcher.next_wake_us(first.arrival_us) == first.arrival_us + 250_000
    matcher.add(frame("b", 0, phase_us=2000, delay_us=40_000))
    out = run(matcher, [frame(c, 1, phase_us=p) for c, p in (("a", 0), ("b", 2000))])
    assert [len(g.members) for _, g in out] == [2, 2]


def test_a_frame_is_held_for_others_only_where_its_group_waits_for_them_anyway() -> None:
    """Bug: beside a camera of five frames a second every frame of a fast one was held, though no group waited."""
    matcher = SessionMatcher(MatchRules())
    rig = [frame(c, n, phase_us=p) for n in range(60) for c, p in (("a", 0), ("b", 2000))]
    slow = [replace(frame("slow", 6 * n, phase_us=1000), sequence=n) for n in range(11)]
    run(matcher, [*rig, *slow[:10]])
    late_us = frame("a", 60).arrival_us
    assert matcher.waits_beside([frame("a", 60)], late_us)
    both = [frame("a", 61), frame("b", 61, phase_us=2000)]
    assert matcher.add(slow[10])
    assert not matcher.waits_beside(both, late_us + PERIOD_US)


def test_equal_stamps_of_one_camera_stay_two_frames_in_strict_order() -> None:
    apart = TieBreaker()
    twins = [apart(Frame(START_US, "a", 0, n, START_US + 10)) for n in range(3)]
    out = run(SessionMatcher(MatchRules()), twins)
    assert [g.members[0].sequence for _, g in out] == [0, 1, 2]
    assert len({g.time_us for _, g in out}) == 3


def test_free_running_cameras_are_grouped_and_said_to_be_approximate() -> None:
    phases = [0, 4000, 9000, 13_000, 17_000, 21_000, 25_000, 28_500]
    frames = [frame(f"c{k}", n, phase_us=p) for n in range(400) for k, p in enumerate(phases)]
    out = run(SessionMatcher(MatchRules()), frames)
    late = [g for _, g in out if ticks_of(g) & set(range(200, 399))]
    full = [g for g in late if len(g.members) == 8]
    assert len(full) >= 190
    assert all(g.approximate for g in full)


@st.composite
def rigs(draw: st.DrawFn) -> tuple[list[Frame], list[Frame]]:
    """The same frames in two orders of arrival, both within the lateness."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    cameras = draw(st.integers(2, 4))
    phases = [rng.randrange(0, 8000) for _ in range(cameras)]
    loss = draw(st.sampled_from([0.0, 0.02, 0.2]))
    kept = [
        (f"c{k}", n, phases[k] + rng.randrange(-1500, 1500))
        for n in range(60)
        for k in range(cameras)
        if n < 10 or rng.random() >= loss
    ]

    def arrive() -> list[Frame]:
        # A session's first moments depend on who comes first: the others are not known yet.
        return [
            frame(c, n, phase_us=p, delay_us=20_000 + (n >= 10) * rng.randrange(100_000)) for c, n, p in kept
        ]

    return arrive(), arrive()


@given(rigs())
@settings(max_examples=60)
def test_the_order_of_arrival_within_the_lateness_does_not_change_the_output(
    rig: tuple[list[Frame], list[Frame]],
) -> None:
    rules = MatchRules(
        tolerance_us=PERIOD_US // 2, lateness_min_us=200_000, lateness_max_us=200_000, idle_us=400_000
    )
    first, second = (
        [[m.member for m in g.members] for _, g in run(SessionMatcher(rules), frames)] for frames in rig
    )
    assert first == second


@pytest.mark.parametrize("seed", range(3))
def test_watermark_and_time_never_go_back_whatever_comes(seed: int) -> None:
    rng = random.Random(seed)
    frames = []
    for n in range(500):
        for c in "abc":
            if rng.random() < 0.1:
                continue
            at = START_US + n * PERIOD_US + rng.randrange(-20_000, 20_000)
            frames.append(Frame(at, c, n // 250, n % 250, at + rng.randrange(0, 500_000)))
    marks, times, seen = [0], [0], set()
    for _, group in run(SessionMatcher(MatchRules()), frames):
        assert group.watermark_us >= marks[-1]
        assert group.time_us > times[-1]
        marks.append(group.watermark_us)
        times.append(group.time_us)
        for member in group.members:
            assert member.member not in seen
            seen.add(member.member)
