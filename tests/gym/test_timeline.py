"""Scripts in time: repetitions, phases, faults; noise that never repeats and always agrees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gym import Script, ScriptError, Section, Stage, Timeline, script
from gym.script import parse
from tests.gym.conftest import stage


def test_the_shipped_session_shows_good_shallow_knees_in_and_good_squats() -> None:
    session = script.read(script.FOLDER / "session.yaml")
    answer = script.read(script.FOLDER / "answer.yaml")
    faults = [dict(s.form) for s in session.sections if s.movement == "squat"]
    assert [next(iter(f), "good") for f in faults] == ["good", "shallow", "knees_in", "good"]
    assert len(session.cameras) == 2
    assert sum(s.repetitions for s in answer.sections) == 5
    assert not {s.person for s in session.sections} & {s.person for s in answer.sections}


def test_phases_follow_one_another_and_the_knee_is_lowest_when_the_way_down_is_over() -> None:
    show = stage("squat", repetitions=3, variation=0.5)
    repetitions = show.timeline.repetitions()
    assert len(repetitions) == 3
    for r in repetitions:
        assert r.start < r.lowest <= r.rise < r.end <= r.rested
        times = np.linspace(r.start, r.end, 80)
        knees = [show.truth(float(t)).angles["left_knee"] for t in times]
        lowest = times[int(np.argmin(knees))]
        assert r.lowest - 0.1 <= lowest <= r.rise + 0.1
        assert show.truth((r.start + r.lowest) / 2).phase == "down"
        assert show.truth((r.lowest + r.rise) / 2).phase == "hold"
        assert show.truth((r.rise + r.end) / 2).phase == "up"
        assert show.truth((r.end + r.rested) / 2).phase == "rest"
    assert [r.start for r in repetitions[1:]] == [r.rested for r in repetitions[:-1]]


def test_faults_are_active_during_a_repetition_and_not_while_resting() -> None:
    show = stage("squat", "shallow")
    r = show.timeline.repetitions()[0]
    assert show.truth((r.lowest + r.rise) / 2).faults == {"shallow": 1.0}
    assert show.truth((r.end + r.rested) / 2).faults == {}


def test_tempo_is_kept_when_nothing_varies() -> None:
    tempo = script.parse_tempo("2,0.5,1.5,1")
    show = Stage(Script((Section("squat", repetitions=2, tempo=tempo),), variation=0.0))
    first, second = show.timeline.repetitions()
    assert (first.lowest - first.start, first.rise - first.lowest) == pytest.approx((2.0, 0.5))
    assert (first.end - first.rise, first.rested - first.end) == pytest.approx((1.5, 1.0))
    assert second.rested == pytest.approx(10.0)


def test_no_repetition_is_like_another_nor_one_person_like_another_nor_one_cycle_like_the_next() -> None:
    section = Section("squat", repetitions=4)
    one = Stage(Script((section,), loop=True))
    other = Stage(Script((Section("squat", 2, repetitions=4),), loop=True))

    def depths(show: Stage, cycle: int) -> list[float]:
        start = cycle * show.timeline.duration
        return [
            show.truth(start + (r.lowest + r.rise) / 2).angles["left_knee"]
            for r in show.timeline.repetitions(cycle)
        ]

    everything = [*depths(one, 0), *depths(one, 1), *depths(other, 0)]
    assert len({round(v, 6) for v in everything}) == len(everything)
    lengths = [r.end - r.start for cycle in (0, 1) for r in one.timeline.repetitions(cycle)]
    assert len({round(v, 4) for v in lengths}) == len(lengths)
    assert np.std(everything) < 6


@given(seed=st.integers(0, 2**31 - 1), t=st.floats(0, 1e9, allow_nan=False))
def test_the_same_seed_gives_the_same_person_at_any_time(seed: int, t: float) -> None:
    sections = (Section("squat", 4, repetitions=3, rest=1),)
    a, b = (Stage(Script(sections, seed=seed, loop=True)).truth(t) for _ in range(2))
    assert a.landmarks is not None
    assert b.landmarks is not None
    assert np.array_equal(a.landmarks, b.landmarks)
    assert a.repetition == b.repetition


@given(t=st.floats(-1e6, 1e9, allow_nan=False))
def test_every_time_has_its_instant_and_repetitions_stay_within_their_cycle(t: float) -> None:
    timeline = Timeline(
        Script((Section("idle", seconds=1), Section("squat", repetitions=2, rest=1)), loop=True)
    )
    instant = timeline.instant(t)
    cycle, local = timeline.locate(t)
    assert 0 <= local <= timeline.duration
    assert instant.cycle == cycle
    for r in timeline.repetitions(cycle):
        assert 0 <= r.start < r.rested <= timeline.duration + 1e-9


def test_a_script_that_does_not_loop_stands_still_at_its_end() -> None:
    timeline = Timeline(Script((Section("squat", repetitions=1, rest=1),)))
    assert timeline.instant(1e6).movement == "squat"
    assert timeline.instant(1e6).repetition is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "no sections"),
        ({"sections": [{"repetitions": 3}]}, "section 1.*movement"),
        ({"sections": [{"movement": "squat"}]}, "section 1.*repetitions"),
        ({"sections": [{"movement": "squat", "repetitions": 1, "frm": {}}]}, "section 1.*frm"),
        ({"sections": [{"movement": "squat", "repetitions": 1, "form": {"x": 1}}]}, "no fault 'x'"),
        ({"sections": [{"movement": "squat", "repetitions": 1, "tempo": [1, 2]}]}, "four numbers"),
        ({"sections": [{"movement": "walk_in"}]}, "seconds"),
        ({"sections": [{"movement": "idle", "seconds": 1}], "seeed": 3}, "seeed"),
    ],
)
def test_a_wrong_script_says_what_is_wrong(data: dict[str, object], said: str) -> None:
    with pytest.raises(ScriptError, match=said):
        parse(data)
