"""WS /ws/v1/sessions/{id}: what Redis brings reaches viewers at once, and bad messages hurt nobody."""

import contextlib
import json
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from komi.gateway.v1.session_message_pb2 import SessionMessage
from services.gateway.config import GatewaySettings
from services.gateway.documents.status import Status
from services.gateway.fanout import hub
from services.mesh import keys
from services.mesh.redis import UNREACHABLE
from tests.gateway.conftest import NOWHERE, open_door
from tests.gateway.door import Door, a_frame, a_set, an_update, receive
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually, eventually


async def watched(door: Door, session_id: str = "live") -> None:
    """Wait until somebody watches the session and the reader stands at the end of its streams."""

    def placed() -> bool:
        known = door.gateway.reader._watched.get(session_id)
        return known is not None and known.placed.is_set()

    await eventually(placed, what="the watch of the session")


async def greeted(door: Door, socket: ClientConnection) -> dict[str, object]:
    hello = await receive(socket)
    assert hello["type"] == "hello"
    await watched(door)
    return hello


async def test_a_viewer_gets_poses_score_repetition_and_advice_as_they_come(door: Door) -> None:
    async with door.socket("/ws/v1/sessions/live") as socket:
        hello = await greeted(door, socket)
        assert hello["session_id"] == "live"
        await door.emit(a_set(1, a_frame("front"), a_frame("side")))
        poses = await receive(socket, "poses")
        assert [camera["camera_id"] for camera in poses["cameras"]] == ["front", "side"]
        assert poses["stages_ms"]["pushed"] > poses["stages_ms"]["synced"] > 0
        await door.score(an_update(1, completes=1, cue="squat.knees.in.out"))
        assert (await receive(socket, "score"))["score"] == 87.2
        assert (await receive(socket, "repetition"))["number"] == 1
        assert (await receive(socket, "advice"))["text_ko"] == "무릎을 밖으로"


async def test_only_the_topics_asked_for_come(door: Door) -> None:
    async with door.socket("/ws/v1/sessions/live?topics=score") as socket:
        await greeted(door, socket)
        await door.emit(a_set(1))
        await door.score(an_update(1, completes=1))
        assert (await receive(socket))["type"] == "score"
        await socket.send(json.dumps({"type": "subscribe", "topics": ["repetition"]}))
        assert (await receive(socket))["topics"] == ["repetition"]
        await door.score(an_update(2, completes=2))
        assert (await receive(socket))["type"] == "repetition"


async def test_protobuf_comes_by_subprotocol_and_says_the_same(door: Door) -> None:
    protobuf = [Subprotocol("komi.v1.protobuf")]
    path = "/ws/v1/sessions/live?topics=poses,score,repetition"
    async with door.socket(path, subprotocols=protobuf) as binary, door.socket(path) as text:
        assert binary.subprotocol == "komi.v1.protobuf"
        message = SessionMessage.FromString(await binary.recv(decode=False))
        assert json.loads(message.json)["type"] == "hello"
        await greeted(door, text)
        await door.emit(a_set(7))
        message = SessionMessage.FromString(await binary.recv(decode=False))
        told = await receive(text, "poses")
        assert message.poses.sequence == told["seq"] == 7
        assert message.poses.stamps.pushed_monotonic_ns > 0
        assert message.poses.members[0].pose.image_px[0] == pytest.approx(
            told["cameras"][0]["image_px"][0], abs=0.05
        )
        await door.score(an_update(7, completes=1))
        message = SessionMessage.FromString(await binary.recv(decode=False))
        assert message.score.score == pytest.approx(87.2)
        message = SessionMessage.FromString(await binary.recv(decode=False))
        assert json.loads(message.json)["type"] == "repetition"


async def test_status_comes_at_once_and_again_when_the_session_changes(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes after the first is told because of a change: the next by the clock is an hour away."""
    monkeypatch.setattr(hub, "STATUS_PERIOD_S", 3600.0)
    await door.register("front")
    async with door.socket("/ws/v1/sessions/live?topics=status") as socket:
        status = await receive(socket, "status")
        assert [camera["camera_id"] for camera in status["cameras"]] == ["front"]
        assert status["sync"] is None
        assert any("sync" in problem for problem in status["problems"])
        answer = await door.client.patch("/api/v1/sessions/live", json={"mode": "video"})
        assert answer.status_code == 200
        while (await receive(socket, "status"))["session"]["mode"] != "video":
            pass


async def test_status_is_put_together_only_while_a_viewer_wants_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = door.gateway.status
    put_together, wanted = desk.of, False
    for_somebody: list[bool] = []

    async def of(session_id: str, viewers: int) -> Status:
        for_somebody.append(wanted)
        return await put_together(session_id, viewers)

    monkeypatch.setattr(desk, "of", of)
    async with door.socket("/ws/v1/sessions/live?topics=score") as socket:
        await greeted(door, socket)
        answer = await door.client.patch("/api/v1/sessions/live", json={"mode": "video"})
        assert answer.status_code == 200
        await door.score(an_update(1))
        assert (await receive(socket))["type"] == "score"
        wanted = True
        await socket.send(json.dumps({"type": "subscribe", "topics": ["status"]}))
        assert (await receive(socket, "status"))["session"]["mode"] == "video"
    assert all(for_somebody)


async def test_a_cue_that_stood_before_the_first_viewer_is_no_news(door: Door) -> None:
    await door.score(an_update(1, cue="squat.knees.in.out"))
    async with door.socket("/ws/v1/sessions/live?topics=advice,score") as socket:
        await greeted(door, socket)
        await door.score(an_update(2, cue="squat.knees.in.out"))
        assert (await receive(socket))["cue"]["code"] == "squat.knees.in.out"
        await door.score(an_update(3, cue="squat.depth.short"))
        assert (await receive(socket, "advice"))["code"] == "squat.depth.short"


async def test_a_viewer_resumes_after_a_sequence_number_and_gets_the_events_between(door: Door) -> None:
    for seq in range(1, 8):
        await door.score(an_update(seq, completes=seq if seq % 2 else 0))
    async with door.socket("/ws/v1/sessions/live?topics=repetition&after=3") as socket:
        hello = await receive(socket)
        assert (hello["type"], hello["resumed_after"], hello["gap"]) == ("hello", 3, False)
        assert [(await receive(socket))["seq"] for _ in range(2)] == [5, 7]
        await watched(door)
        await door.score(an_update(9, completes=9))
        assert (await receive(socket))["seq"] == 9


async def test_resuming_after_what_is_no_longer_kept_is_told_as_a_gap(door: Door) -> None:
    await door.score(an_update(10, completes=4))
    async with door.socket("/ws/v1/sessions/live?topics=repetition&after=3") as socket:
        assert (await receive(socket))["gap"] is True
        assert (await receive(socket))["seq"] == 10


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("no json", "BAD_MESSAGE"),
        ("[1]", "BAD_MESSAGE"),
        ('{"type": "dance"}', "BAD_MESSAGE"),
        ('{"type": "subscribe", "topics": "poses"}', "BAD_MESSAGE"),
        ('{"type": "subscribe", "topics": ["moves"]}', "UNKNOWN_TOPIC"),
        ('{"type": "ping", "id": {}}', "BAD_MESSAGE"),
        (b"\x00\x01", "BAD_MESSAGE"),
        ("x" * 5000, "BAD_MESSAGE"),
    ],
)
async def test_a_message_that_cannot_be_used_is_answered_and_the_connection_stays(
    door: Door, message: str | bytes, reason: str
) -> None:
    async with door.socket("/ws/v1/sessions/live?topics=score") as socket:
        await greeted(door, socket)
        await socket.send(message)
        assert (await receive(socket, "error"))["reason"] == reason
        await socket.send('{"type": "ping", "id": 7}')
        assert (await receive(socket, "pong"))["id"] == 7


async def _send_and_read(socket: ClientConnection, message: str) -> None:
    await socket.send(message)
    while True:
        await socket.recv()


async def test_a_huge_message_ends_only_the_connection_that_sent_it(door: Door) -> None:
    async with door.socket("/ws/v1/sessions/live?topics=score") as neighbour:
        await greeted(door, neighbour)
        async with door.socket("/ws/v1/sessions/live", max_size=None) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await _send_and_read(socket, "x" * (9 << 20))
            assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
        await door.score(an_update(1))
        assert (await receive(neighbour, "score"))["seq"] == 1


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/ws/v1/sessions/nowhere", 404, "SESSION_NOT_FOUND"),
        ("/ws/v1/sessions/live?topics=dance", 400, "UNKNOWN_TOPIC"),
        ("/ws/v1/sessions/live?after=-1", 400, "BAD_POSITION"),
    ],
)
async def test_what_cannot_be_watched_is_refused_before_the_handshake(
    door: Door, path: str, status: int, reason: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with door.socket(path):
            pass
    assert refused.value.response.status_code == status
    problem = json.loads(refused.value.response.body or b"")
    assert problem["reason"] == reason


async def test_a_page_from_elsewhere_may_not_open_a_websocket(door: Door) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with door.socket("/ws/v1/sessions/live", origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with door.socket("/ws/v1/sessions/live", origin=f"http://{door.server.address}") as socket:
        assert (await receive(socket))["type"] == "hello"


async def test_a_stalled_viewer_slows_nobody_and_is_told_what_it_missed(door: Door) -> None:
    sets = 600
    async with (
        door.socket("/ws/v1/sessions/live?topics=poses") as quick,
        door.socket("/ws/v1/sessions/live?topics=poses,repetition", max_queue=1) as stalled,
    ):
        await greeted(door, quick)
        await receive(stalled)
        frames = [a_frame(name) for name in ("a", "b", "c", "d", "e", "f", "g", "h")]
        seen = 0
        for seq in range(1, sets + 1):
            await door.emit(a_set(seq, *frames))
            while seen < seq:
                seen = (await receive(quick, "poses"))["seq"]
        await door.score(an_update(sets, completes=1))
        skipped = delivered = 0
        while True:
            message = await receive(stalled)
            if message["type"] == "repetition":
                break
            skipped += message["poses"] if message["type"] == "skipped" else 0
            delivered += message["type"] == "poses"
        assert skipped > sets / 2
        assert skipped + delivered == sets


async def test_viewers_get_on_by_themselves_when_redis_is_back(
    own_redis: RedisServer, eventually: Eventually
) -> None:
    async with AsyncExitStack() as stack:
        settings = GatewaySettings(
            redis_url=own_redis.url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE
        )
        door = await open_door(stack, settings)
        async with door.socket("/ws/v1/sessions/live?topics=poses") as socket:
            await greeted(door, socket)
            await door.emit(a_set(1))
            assert (await receive(socket, "poses"))["seq"] == 1
            own_redis.kill()

            async def unready() -> bool:
                answer = await door.client.get("/readyz")
                return answer.status_code == 503 and "redis" in answer.json()["waiting_for"]

            await eventually(unready)
            refused = await door.client.get("/api/v1/cameras")
            assert refused.status_code == 503
            assert refused.json()["reason"] == "REDIS_UNREACHABLE"
            assert refused.headers["retry-after"] == "1"
            assert (await door.client.get("/")).status_code == 200
            own_redis.start()

            async def emitted() -> bool:
                # A connection that was under way when Redis came back fails still, and who asked for it with it.
                with contextlib.suppress(*UNREACHABLE):
                    await door.emit(a_set(2))
                    return True
                return False

            await eventually(emitted)
            assert (await receive(socket, "poses"))["seq"] == 2


async def test_an_entry_that_cannot_be_read_is_passed_over(door: Door) -> None:
    async with door.socket("/ws/v1/sessions/live?topics=poses") as socket:
        await greeted(door, socket)
        await door.redis.xadd(keys.synced_sets("live"), {"set": b"\xff\xff\xff"})
        await door.redis.xadd(keys.synced_sets("live"), {"other": b""})
        await door.emit(a_set(3))
        assert (await receive(socket, "poses"))["seq"] == 3


async def test_of_the_sets_that_piled_up_during_an_outage_only_the_newest_is_shown(door: Door) -> None:
    async with door.socket("/ws/v1/sessions/live?topics=poses") as socket:
        await greeted(door, socket)
        async with door.redis.pipeline(transaction=True) as pipe:
            for seq in range(1, 6):
                # Long ago, by the id that Redis gave them then.
                pipe.xadd(keys.synced_sets("live"), {"set": a_set(seq).SerializeToString()}, id=f"{seq}-0")
            await pipe.execute()
        assert (await receive(socket, "poses"))["seq"] == 5
        await door.emit(a_set(6))
        assert (await receive(socket, "poses"))["seq"] == 6
