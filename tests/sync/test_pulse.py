"""A process that was held up gives what piled up a moment to be read before time counts on."""

import pytest

from services.sync.pulse import BEAT_S, CATCH_UP_S, STALL_S, WATCH_S, Pulse


def test_while_it_beats_all_time_counts() -> None:
    pulse = Pulse()
    for n in range(1, 50):
        pulse.beat(n / 100)
        assert pulse.held_up_s(n / 100 + 0.005) == 0


def test_time_stands_still_from_the_last_beat_until_what_piled_up_is_read() -> None:
    pulse = Pulse()
    pulse.beat(1.0)
    pulse.beat(1.01)
    assert pulse.held_up_s(1.2) == pytest.approx(0.19)
    assert pulse.catching_up_s(1.2) == pytest.approx(CATCH_UP_S)
    pulse.beat(1.205)
    assert pulse.held_up_s(1.21) == pytest.approx(0.2)
    assert pulse.held_up_s(1.2 + CATCH_UP_S) == 0
    assert pulse.catching_up_s(1.2 + CATCH_UP_S) == 0


def test_the_first_look_after_the_start_is_no_stall() -> None:
    assert Pulse().held_up_s(1000.0) == 0


def test_who_gives_up_after_a_silence_beats_for_a_moment_before_and_is_not_held_up() -> None:
    pulse, now_s, due_s, beats = Pulse(), 5.0, 5.4, 0
    pulse.beat(now_s)
    while now_s < due_s:
        now_s = pulse.next_beat_s(now_s, due_s)
        pulse.beat(now_s)
        beats += 1
    assert now_s == due_s
    assert pulse.held_up_s(now_s) == 0
    assert beats <= WATCH_S / BEAT_S + 2


def test_a_loop_that_stood_still_just_before_it_would_give_up_is_held_up() -> None:
    pulse, now_s, due_s = Pulse(), 5.0, 5.4
    pulse.beat(now_s)
    pulse.beat(pulse.next_beat_s(now_s, due_s))
    late_s = due_s + STALL_S
    assert pulse.held_up_s(late_s) > STALL_S
