"""A process that was held up gives what piled up a moment to be read before time counts on."""

from collections.abc import Callable

import pytest

from services.sync.pulse import BEAT_S, CATCH_UP_S, STALL_S, WATCH_S, Pulse


class Loop:
    """An event loop and its clock, both turned by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.soon: list[Callable[[], None]] = []
        self.pulse = Pulse(lambda: self.now_s, self.soon.append)

    def turn(self, at_s: float) -> None:
        """Begin a turn at `at_s`."""
        self.now_s = at_s
        ready, self.soon[:] = list(self.soon), []
        for callback in ready:
            callback()


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_while_the_loop_turns_all_time_counts(loop: Loop) -> None:
    for n in range(1, 50):
        loop.turn(1000 + n / 100)
        assert loop.pulse.held_up_s() == 0


def test_time_stands_still_from_the_last_turn_until_what_piled_up_is_read(loop: Loop) -> None:
    loop.pulse.beat()
    loop.turn(1000.2)
    assert loop.pulse.held_up_s() == pytest.approx(0.2)
    loop.turn(1000.205)
    assert loop.pulse.held_up_s() == pytest.approx(0.205)
    assert loop.pulse.catching_up_s() == pytest.approx(CATCH_UP_S)
    loop.turn(1000.206 + CATCH_UP_S)
    assert loop.pulse.held_up_s() == 0
    assert loop.pulse.catching_up_s() == 0


def test_a_long_turn_is_a_stall_though_it_looks_again_and_again(loop: Loop) -> None:
    """Each look once counted as a beat: a loop that was behind gave cameras up whose poses it had not read."""
    loop.pulse.beat()
    held_up_s = []
    for _ in range(10):
        loop.now_s += STALL_S / 2
        held_up_s.append(loop.pulse.held_up_s())
    assert held_up_s[0] == 0
    assert all(held > STALL_S for held in held_up_s[2:])
    assert len(loop.soon) == 1


def test_the_first_look_after_the_start_is_no_stall(loop: Loop) -> None:
    assert loop.pulse.held_up_s() == 0


def test_who_gives_up_after_a_silence_beats_for_a_moment_before_and_is_not_held_up(loop: Loop) -> None:
    due_s, beats = loop.now_s + 0.4, 0
    loop.pulse.beat()
    while loop.now_s < due_s:
        loop.now_s = loop.pulse.next_beat_s(due_s)
        loop.pulse.beat()
        beats += 1
    assert loop.now_s == due_s
    assert loop.pulse.held_up_s() == 0
    assert beats <= WATCH_S / BEAT_S + 2


def test_a_loop_that_stood_still_just_before_it_would_give_up_is_held_up(loop: Loop) -> None:
    due_s = loop.now_s + 0.4
    loop.pulse.beat()
    loop.now_s = loop.pulse.next_beat_s(due_s)
    loop.pulse.beat()
    loop.now_s = due_s + STALL_S
    assert loop.pulse.held_up_s() > STALL_S
