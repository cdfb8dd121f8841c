"""Recordings of one process share one timeline."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from services.capture.playback import LATE_NS, LEAD_NS, Playback, PlaybackClosed
from tests.support.waiting import wait_for

MS = 1_000_000


@dataclass
class Clock:
    now_ns: int = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def threads() -> Iterator[Callable[..., "Future[object]"]]:
    """Run calls that block, each in a thread."""
    pool = ThreadPoolExecutor(8)
    yield pool.submit
    pool.shutdown()


Submit = Callable[..., "Future[object]"]


def test_a_pass_starts_for_all_at_once_when_all_are_ready(threads: Submit) -> None:
    clock = Clock()
    playback = Playback(["a", "b"], clock)
    first = threads(playback.begin, "a")
    with pytest.raises(TimeoutError):
        first.result(0.05)
    clock.now_ns += 500 * MS
    assert playback.begin("b") == 0
    assert first.result(30) == 0
    assert playback.place(0).due_ns == clock.now_ns + LEAD_NS
    assert playback.place(40 * MS).due_ns == clock.now_ns + LEAD_NS + 40 * MS


def test_a_recording_that_cannot_be_read_keeps_nobody_waiting(threads: Submit) -> None:
    playback = Playback(["good", "bad"], Clock())
    good = threads(playback.begin, "good")
    playback.withdraw("bad")
    assert good.result(30) == 0


def test_a_recording_that_comes_late_joins_where_the_others_are() -> None:
    clock = Clock()
    playback = Playback(["a", "b"], clock)
    playback.withdraw("b")
    playback.begin("a")
    clock.now_ns += LEAD_NS + 700 * MS
    assert playback.begin("b") == 700 * MS


def test_the_next_pass_starts_for_all_when_the_longest_is_over(threads: Submit) -> None:
    clock = Clock()
    playback = Playback([], clock)
    playback.begin("long")
    playback.begin("short")
    start_ns = playback.place(0).due_ns
    short = threads(playback.finish_pass, "short", 300 * MS)
    with pytest.raises(TimeoutError):
        short.result(0.05)
    clock.now_ns = start_ns + 990 * MS
    playback.finish_pass("long", 1000 * MS)
    short.result(30)
    assert playback.place(0).due_ns == start_ns + 1000 * MS


def test_a_recording_that_is_lost_meanwhile_does_not_stop_the_others(threads: Submit) -> None:
    playback = Playback([], Clock())
    playback.begin("a")
    playback.begin("b")
    waiting = threads(playback.finish_pass, "a", 100 * MS)
    playback.withdraw("b")
    waiting.result(30)


def test_a_machine_that_does_not_keep_up_holds_up_what_nobody_has_placed_yet() -> None:
    clock = Clock()
    playback = Playback([], clock)
    playback.begin("slow")
    playback.begin("fast")
    start_ns = playback.place(0).due_ns
    assert playback.place(100 * MS).due_ns == start_ns + 100 * MS
    clock.now_ns = start_ns + 40 * MS + LATE_NS + 50 * MS
    # The slow one is late; the frames that the fast one has placed before stay where they are, for both.
    assert playback.place(40 * MS).due_ns == start_ns + 40 * MS
    assert playback.place(60 * MS).due_ns == start_ns + 60 * MS
    assert playback.place(100 * MS).due_ns == start_ns + 100 * MS
    held_ns = LATE_NS + 50 * MS
    assert playback.place(120 * MS) == (120 * MS, start_ns + 120 * MS + held_ns)
    assert playback.place(140 * MS).due_ns == start_ns + 140 * MS + held_ns


def test_positions_grow_evenly_over_passes_whatever_was_held_up() -> None:
    clock = Clock()
    playback = Playback([], clock)
    playback.begin("a")
    start_ns = playback.place(0).due_ns
    clock.now_ns = start_ns + 900 * MS
    playback.place(0)
    late = playback.place(40 * MS)
    assert late.due_ns > start_ns + 40 * MS
    playback.finish_pass("a", 80 * MS)
    assert playback.place(0) == (80 * MS, late.due_ns + 40 * MS)


def test_a_gated_playback_waits_for_its_gate(threads: Submit) -> None:
    playback = Playback(["a"], Clock(), gated=True)
    waiting = threads(playback.begin, "a")
    with pytest.raises(TimeoutError):
        waiting.result(0.05)
    playback.open_gate()
    assert waiting.result(30) == 0


def test_closing_wakes_whoever_waits(threads: Submit) -> None:
    playback = Playback(["a", "never"], Clock())
    began = threading.Event()

    def begin() -> int:
        began.set()
        return playback.begin("a")

    waiting = threads(begin)
    wait_for(began.is_set)
    playback.close()
    with pytest.raises(PlaybackClosed):
        waiting.result(30)
