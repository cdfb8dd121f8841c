"""What goes back on a stream: the urgent first, nothing without bound, the reason of the end last."""

import asyncio

import pytest

from komi.common.v1 import frame_pb2, pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2
from services.pose.outbox import MOST_LATE_ANSWERS, Outbox, Response

COMPLETE = stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE)


def outbox(*, newest_wins: bool = True) -> Outbox:
    return Outbox(lambda: 123, newest_wins=newest_wins)


def pose(sequence: int) -> pose_pb2.PoseFrame:
    return pose_pb2.PoseFrame(id=frame_pb2.FrameId(sequence=sequence))


async def everything(box: Outbox) -> list[Response]:
    box.end(COMPLETE)
    got = []
    while (response := await box.next()) is not None:
        got.append(response)
    return got


async def test_clock_replies_overtake_and_the_end_comes_last() -> None:
    box = outbox()
    box.pose(pose(0))
    box.dropped(stream_pb2.DROP_REASON_SUPERSEDED)
    box.credit(1, 30)
    box.notice(Response(session_changed=pose_service_pb2.SessionChanged(session_id="s")))
    box.clock_reply(stream_pb2.ClockReply(id=5))
    kinds = [response.WhichOneof("payload") for response in await everything(box)]
    assert kinds == ["clock_reply", "session_changed", "credit", "dropped", "pose", "end"]


async def test_a_clock_reply_is_stamped_when_it_leaves() -> None:
    now = [1]
    box = Outbox(lambda: now[0], newest_wins=True)
    box.clock_reply(stream_pb2.ClockReply(id=1))
    now[0] = 77
    response = await box.next()
    assert response is not None
    assert response.clock_reply.server_send_unix_ns == 77


async def test_credit_and_drops_that_wait_are_added_up() -> None:
    box = outbox()
    for _ in range(5):
        box.credit(1, 12.5)
        box.dropped(stream_pb2.DROP_REASON_SUPERSEDED)
    box.dropped(stream_pb2.DROP_REASON_DUPLICATE, 2)
    got = await everything(box)
    assert got[0].credit == pose_service_pb2.Credit(frames=5, max_fps=12.5)
    assert {r.dropped.reason: r.dropped.count for r in got if r.HasField("dropped")} == {
        stream_pb2.DROP_REASON_SUPERSEDED: 5,
        stream_pb2.DROP_REASON_DUPLICATE: 2,
    }


async def test_a_live_client_that_does_not_read_loses_the_oldest_answers() -> None:
    box = outbox()
    kept = [box.pose(pose(number)) for number in range(MOST_LATE_ANSWERS + 3)]
    assert kept == [True] * MOST_LATE_ANSWERS + [False] * 3
    got = await everything(box)
    assert [response.pose.id.sequence for response in got[:-1]] == list(range(3, MOST_LATE_ANSWERS + 3))


async def test_a_lossless_client_loses_none() -> None:
    box = outbox(newest_wins=False)
    for number in range(MOST_LATE_ANSWERS + 3):
        assert box.pose(pose(number))
    assert len(await everything(box)) == MOST_LATE_ANSWERS + 4


async def test_an_error_ends_the_stream_at_once_even_for_one_who_waits() -> None:
    box = outbox()
    waiting = asyncio.create_task(box.next())
    await asyncio.sleep(0)
    box.fail(ValueError("why"))
    with pytest.raises(ValueError, match="why"):
        await waiting
    box.end(COMPLETE)
    with pytest.raises(ValueError, match="why"):
        await box.next()


async def test_the_first_reason_to_end_stands() -> None:
    box = outbox()
    box.end(stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_DRAINING))
    got = await everything(box)
    assert [response.end.reason for response in got] == [stream_pb2.STREAM_END_REASON_DRAINING]


async def test_nothing_follows_the_end_whatever_arrives_meanwhile() -> None:
    """Frames that arrived while a stopped replica's end was on its way had drop notices follow it."""
    box = outbox()
    box.end(COMPLETE)
    last = await box.next()
    assert last is not None
    assert last.HasField("end")
    box.dropped(stream_pb2.DROP_REASON_DRAINING)
    box.pose(pose(1))
    assert await box.next() is None
