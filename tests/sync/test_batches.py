"""Several poses in one message are handled as if each had come by itself."""

import grpc

from komi.common.v1 import stream_pb2
from services.sync.worker import BATCH
from tests.support.waiting import Eventually
from tests.sync.rig import Replica, make_pose, member_ids

PERIOD_US = 33_333
CAMERAS = (("front", 0), ("side", 4000))


async def test_each_pose_of_a_batch_is_counted_and_leaves_in_its_set(
    patient: Replica, eventually: Eventually
) -> None:
    replica = patient
    async with replica.ingest() as stream:
        now = await replica.now_us()
        for n in range(0, 10, 2):
            times = [now - 500_000 + (n + k) * PERIOD_US for k in range(2)]
            await stream.send_together(
                *(make_pose(name, n + k, times[k] + late) for k in range(2) for name, late in CAMERAS)
            )
        # One by one as well, on the same stream.
        await stream.send(
            *(make_pose(name, 10, now - 500_000 + 10 * PERIOD_US + late) for name, late in CAMERAS)
        )
        await stream.finish()
        assert stream.stored == 22
        await eventually(replica.sets_emitted(11), what="eleven sets")
    assert [member_ids(s) for s in await replica.sets()] == [
        [(name, 0, n) for name, _ in CAMERAS] for n in range(11)
    ]


async def test_a_batch_sent_again_on_a_new_stream_is_stored_once(
    replica: Replica, eventually: Eventually
) -> None:
    now = await replica.now_us()
    poses = [make_pose("front", n, now - 500_000 + n * PERIOD_US) for n in range(10)]
    async with replica.ingest() as stream:
        await stream.send_together(*poses)
        await stream.finish()
        assert stream.stored == 10
    async with replica.ingest() as again:
        await again.send_together(*poses)
        await again.finish()
        assert again.stored == 0
        assert sum(again.dropped().values()) == 10
        assert set(again.dropped()) <= {stream_pb2.DROP_REASON_LATE, stream_pb2.DROP_REASON_DUPLICATE}
        await eventually(replica.sets_emitted(10), what="ten sets")
    assert [i for s in await replica.sets() for i in member_ids(s)] == [("front", 0, n) for n in range(10)]


async def test_a_bad_pose_in_a_batch_is_answered_and_hurts_no_other(replica: Replica) -> None:
    async with replica.ingest() as stream:
        now = await replica.now_us()
        unmapped = make_pose("front", 1, now)
        unmapped.time.ClearField("server_time")
        await stream.send_together(
            make_pose("front", 0, now), unmapped, make_pose("", 2, now), make_pose("front", 3, now + 1000)
        )
        await stream.finish()
        failed = [a.failed for a in stream.answers if a.HasField("failed")]
        assert [(f.sequence, f.error) for f in failed] == [(1, "BAD_TIME"), (2, "BAD_NAME")]
        assert stream.stored == 2


async def test_too_large_a_batch_is_refused_whole_with_the_size_that_is_taken(replica: Replica) -> None:
    async with replica.ingest() as stream:
        now = await replica.now_us()
        await stream.send_together(*(make_pose("front", n, now - 1000 + n) for n in range(BATCH + 1)))
        await stream.finish()
        assert stream.error is not None
        assert stream.error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert f"at most {BATCH}" in (stream.error.details() or "")
        assert stream.stored == 0
    assert not await replica.sets()


async def test_the_first_answer_says_at_once_how_poses_may_come(
    replica: Replica, eventually: Eventually
) -> None:
    async with replica.ingest() as stream:
        await eventually(lambda: bool(stream.answers), what="an answer before any pose")
        assert stream.answers[0].ack.most_batched == BATCH
        # An idle sync wants nobody to wait.
        assert not stream.answers[0].ack.HasField("gather")
