"""Cameras, sessions and images in Redis."""

from dataclasses import replace

import pytest

from komi.pose.v1 import pose_service_pb2
from services.mesh.cameras import CameraRegister
from services.mesh.errors import AlreadyExists, InvalidInput, NotFound
from services.mesh.images import CameraImage, Images
from services.mesh.redis import RedisClient
from services.mesh.sessions import Mode, SessionConfig, SessionState, SessionStore, check_name


async def test_camera_name_belongs_to_one_instance_until_it_is_forgotten(redis: RedisClient) -> None:
    register = CameraRegister(redis)
    await register.claim("front: 정면/1", "a")
    await register.claim("front: 정면/1", "a")
    with pytest.raises(AlreadyExists):
        await register.claim("front: 정면/1", "b")
    await register.forget("front: 정면/1", "b")
    with pytest.raises(AlreadyExists):
        await register.claim("front: 정면/1", "b")
    await register.forget("front: 정면/1", "a")
    await register.claim("front: 정면/1", "b")


async def test_reported_cameras_are_listed_by_name(redis: RedisClient) -> None:
    register = CameraRegister(redis)
    for name in ("side", "front"):
        beat = await register.report(pose_service_pb2.Camera(camera_id=name, fps=15), name, 1)
        assert beat.owned
        assert not beat.watched
    assert [camera.camera_id for camera in await register.list()] == ["front", "side"]
    await register.forget("side", "side")
    assert [camera.camera_id for camera in await register.list()] == ["front"]
    assert await register.get("side") is None


async def test_a_report_under_a_name_that_is_another_s_by_now_changes_nothing(redis: RedisClient) -> None:
    register = CameraRegister(redis)
    assert (await register.report(pose_service_pb2.Camera(camera_id="front", fps=15), "a", 1)).owned
    assert not (await register.report(pose_service_pb2.Camera(camera_id="front", fps=5), "b", 2)).owned
    [camera] = await register.list()
    assert camera.fps == 15


async def test_heartbeat_brings_the_claiming_session_who_looks_and_who_wants_outlines(
    redis: RedisClient,
) -> None:
    register, images, sessions = CameraRegister(redis), Images(redis), SessionStore(redis)
    await sessions.put(SessionConfig("morning", cameras=("front",)))
    await images.look("front")
    beat = await register.report(pose_service_pb2.Camera(camera_id="front"), "a", 1)
    assert (beat.session_id, beat.watched, beat.silhouettes) == ("morning", True, False)
    await register.want_silhouettes("front")
    assert (await register.report(pose_service_pb2.Camera(camera_id="front"), "a", 1)).silhouettes


async def test_session_lets_go_of_cameras_but_not_of_those_claimed_by_another_since(
    redis: RedisClient,
) -> None:
    register, sessions = CameraRegister(redis), SessionStore(redis)
    first = SessionConfig("first", cameras=("front", "side"))
    await sessions.put(first)
    await sessions.put(SessionConfig("second", cameras=("side",)))
    await sessions.put(replace(first, state=SessionState.ENDED))
    front = await register.report(pose_service_pb2.Camera(camera_id="front"), "a", 1)
    side = await register.report(pose_service_pb2.Camera(camera_id="side"), "b", 1)
    assert (front.session_id, side.session_id) == (None, "second")


async def test_session_survives_a_round_trip_and_a_missing_one_is_not_found(redis: RedisClient) -> None:
    sessions = SessionStore(redis)
    config = SessionConfig("아침", cameras=("a",), reference_id="r", mode=Mode.VIDEO, created_us=5)
    await sessions.put(config)
    assert await sessions.get("아침") == config
    assert [session.session_id for session in await sessions.list()] == ["아침", "live"]
    await sessions.delete("아침")
    with pytest.raises(NotFound):
        await sessions.get("아침")
    assert (await sessions.get("live")).cameras == ()


async def test_followers_see_every_change(redis: RedisClient) -> None:
    sessions = SessionStore(redis)
    async with sessions.changes("live") as changes:
        assert (await anext(changes)).reference_id == ""
        await sessions.put(SessionConfig("live", reference_id="r1"))
        assert (await anext(changes)).reference_id == "r1"


async def test_newest_image_replaces_the_one_before(redis: RedisClient) -> None:
    images = Images(redis)
    assert await images.get("front") is None
    for sequence in (1, 2):
        await images.put("front", CameraImage(b"\xff\xd8", sequence, 10, 4, 3, b"pose"))
    assert await images.get("front") == CameraImage(b"\xff\xd8", 2, 10, 4, 3, b"pose")


@pytest.mark.parametrize("name", ["", " a", "a\n", "x" * 65, "\x00"])
def test_impossible_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name, "camera")


@pytest.mark.parametrize("name", ["front", "정면", "a/../b", "{x}:y", "x" * 64])
def test_any_printable_name_will_do(name: str) -> None:
    assert check_name(name, "camera") == name
