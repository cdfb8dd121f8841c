"""A slow viewer gets the newest state and every event, and is told what it missed."""

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fanout.feed import MonitorFeed
from services.gateway.fanout.mailbox import MOST_EVENTS, Mailbox
from services.gateway.fanout.viewer import Viewer
from services.gateway.shaping.encoding import text_frame, to_json


def frame(**document: Any) -> bytes:
    return text_frame(to_json(document))


def told(frames: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(one[one.index(b"{") :]) for one in frames]


def drain(mailbox: Mailbox) -> list[dict[str, Any]]:
    frames = []
    while (one := mailbox.take()) is not None:
        frames.append(one)
    return told(frames)


class Pipe:
    """An outlet that takes what it is told to take."""

    def __init__(self) -> None:
        self.open = True
        self.taken: list[bytes] = []

    def try_write(self, one: bytes) -> bool:
        if self.open:
            self.taken.append(one)
        return self.open

    async def wait_writable(self) -> bool:
        return self.open


def test_a_newer_state_takes_the_place_of_the_unread_one_and_is_counted() -> None:
    mailbox = Mailbox()
    for seq in (1, 2, 3):
        mailbox.put_state("poses", "", frame(type="poses", seq=seq))
    assert drain(mailbox) == [
        {"type": "skipped", "poses": 2, "score": 0, "clock": 0, "status": 0},
        {"type": "poses", "seq": 3},
    ]


def test_events_are_never_overtaken_and_keep_their_order() -> None:
    mailbox = Mailbox()
    mailbox.put_event(frame(type="repetition", seq=1))
    mailbox.put_state("score", "", frame(type="score", seq=1))
    mailbox.put_event(frame(type="repetition", seq=2))
    mailbox.put_state("score", "", frame(type="score", seq=2))
    assert [(m["type"], m.get("seq")) for m in drain(mailbox)] == [
        ("repetition", 1),
        ("repetition", 2),
        ("skipped", None),
        ("score", 2),
    ]


def test_too_many_unread_events_are_refused_not_dropped_silently() -> None:
    mailbox = Mailbox()
    assert all(mailbox.put_event(b"x") for _ in range(MOST_EVENTS))
    assert not mailbox.put_event(b"x")


@given(
    st.lists(st.tuples(st.sampled_from(["poses", "score", "event", "take"]), st.integers(0, 3)), max_size=60)
)
def test_every_state_is_delivered_or_counted_and_every_event_delivered(steps: list[tuple[str, int]]) -> None:
    mailbox, put, events, got = Mailbox(), 0, 0, []
    for kind, key in steps:
        if kind == "take":
            one = mailbox.take()
            got += [one] if one is not None else []
        elif kind == "event":
            events += mailbox.put_event(frame(type="event"))
        else:
            put += 1
            mailbox.put_state(kind, str(key), frame(type=kind))
    messages = told(got) + drain(mailbox)
    skipped = sum(m["poses"] + m["score"] for m in messages if m["type"] == "skipped")
    delivered = sum(m["type"] in ("poses", "score") for m in messages)
    assert skipped + delivered == put
    assert sum(m["type"] == "event" for m in messages) == events


def test_a_viewer_that_keeps_up_is_written_to_at_once() -> None:
    pipe = Pipe()
    viewer = Viewer(pipe, ("poses",))
    assert viewer.push_state("poses", "", frame(type="poses", seq=1))
    viewer.push_state("score", "", frame(type="score"))
    assert told(pipe.taken) == [{"type": "poses", "seq": 1}]


async def test_what_waits_is_written_in_order_once_the_viewer_reads_again() -> None:
    pipe = Pipe()
    viewer = Viewer(pipe, ("poses", "repetition"))
    pipe.open = False
    assert viewer.push_state("poses", "", frame(type="poses", seq=1))
    assert not viewer.push_state("poses", "", frame(type="poses", seq=2))
    viewer.push_event("repetition", 2, frame(type="repetition"))
    pipe.open = True
    viewer.push_state("poses", "", frame(type="poses", seq=3))  # must not overtake what waits
    pumping = asyncio.create_task(viewer.pump())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [m["type"] for m in told(pipe.taken)] == ["repetition", "skipped", "poses"]
    pumping.cancel()
    await asyncio.gather(pumping, return_exceptions=True)


def test_live_events_that_were_replayed_already_come_once() -> None:
    pipe = Pipe()
    viewer = Viewer(pipe, ("repetition",))
    viewer.hold()
    viewer.push_event("repetition", 5, frame(type="repetition", seq=5))
    viewer.push_event("repetition", 7, frame(type="repetition", seq=7))
    viewer.release([{"type": "hello"}, {"type": "repetition", "seq": 5}], through_seq=6)
    assert [(m["type"], m.get("seq")) for m in told(pipe.taken)] == [
        ("hello", None),
        ("repetition", 5),
        ("repetition", 7),
    ]


def test_of_the_states_that_were_held_back_the_newest_comes_last() -> None:
    pipe = Pipe()
    viewer = Viewer(pipe, ("poses", "status", "repetition"))
    viewer.hold()
    assert viewer.push_state("poses", "", frame(type="poses", seq=1))
    assert viewer.push_state("status", "", frame(type="status"))
    assert not viewer.push_state("poses", "", frame(type="poses", seq=2))
    viewer.push_event("repetition", 2, frame(type="repetition", seq=2))
    viewer.release([{"type": "hello"}], through_seq=-1)
    assert [(m["type"], m.get("seq")) for m in told(pipe.taken)] == [
        ("hello", None),
        ("repetition", 2),
        ("status", None),
        ("poses", 2),
    ]


def test_a_monitor_that_was_greeted_with_old_news_is_told_the_new() -> None:
    """What had been told to the others counted as told to who joined since, whatever that one had been greeted with."""
    monitors, pipes = MonitorFeed(), [Pipe(), Pipe()]
    monitors.greet(Viewer(pipes[0], ("monitor",)), ["front"])
    monitors.greet(Viewer(pipes[1], ("monitor",)), [])
    for _ in range(2):
        monitors.on_cameras(["front"])
    assert [[m["cameras"] for m in told(pipe.taken)] for pipe in pipes] == [[["front"]], [[], ["front"]]]
