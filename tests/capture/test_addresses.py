"""Cameras and servers are understood as written, and shown without their secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.capture.addresses import (
    Address,
    Device,
    Network,
    Recording,
    Server,
    Virtual,
    default_name,
    parse_address,
    parse_cameras,
    parse_server,
    redact,
    show,
)
from services.capture.errors import BadAddress


def named(text: str) -> dict[str, Address]:
    return {camera.camera_id: camera.address for camera in parse_cameras(text)}


def test_an_index_an_address_and_a_file_stand_side_by_side() -> None:
    assert named("front:0,side:rtsp://cam/one,back:clips/a.mp4,전면:/dev/video2") == {
        "front": Device(0),
        "side": Network("rtsp://cam/one"),
        "back": Recording("clips/a.mp4"),
        "전면": Device(2),
    }


def test_commas_and_colons_inside_an_address_stay_there() -> None:
    gym = "gym:squat?person=2&faults=knees-in:0.5,shallow&seed=1"
    url = "rtsp://u:p@10.0.0.5:554/stream?size=640,480&t=1:2"
    assert named(f"front:{gym},side:{url},clip:a,b.mp4") == {
        "front": Virtual(gym),
        "side": Network(url),
        "clip": Recording("a,b.mp4"),
    }


def test_faults_with_a_dial_in_a_gym_address_are_no_cameras() -> None:
    gym = "gym:squat?form=shallow:0.3,knees_in:1,lean:0.5&view=front&tempo=2,0.5,1.5,1"
    assert named(f"front:{gym},side:{gym},door:/dev/video0") == {
        "front": Virtual(gym),
        "side": Virtual(gym),
        "door": Device(0),
    }
    assert named("front:gym:squat,door:0") == {"front": Virtual("gym:squat"), "door": Device(0)}


def test_options_of_a_recording_are_read() -> None:
    assert parse_address("a.mp4?loop=0") == Recording("a.mp4", loop=False)
    assert parse_address("folder?fps=12.5&loop=1") == Recording("folder", loop=True, fps=12.5)
    assert parse_address("file:///tmp/a.mp4") == Recording("/tmp/a.mp4")


def test_a_video_behind_http_is_a_recording_and_a_stream_is_not() -> None:
    assert parse_address("http://host/clips/a.MP4?token=x") == Recording("http://host/clips/a.MP4?token=x")
    assert parse_address("http://host/stream.mjpg") == Network("http://host/stream.mjpg")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a.mp4", "has no name"),
        ("gym:squat", "has no name"),
        ("front:0,rtsp://user:secret@host/x", "has no name"),
        ("front:0,front:1", "two cameras are named 'front'"),
        ("x" * 65 + ":0", "1 to 64 printable"),
        ("a\tb:0", "1 to 64 printable"),
        ("front:ftp://host/a.mp4", "of no kind that can be read"),
        ("front:a.mp4?speed=2", "option speed=2 that is unknown"),
        ("front:a.mp4?fps=0", "option fps=0"),
        ("front:?loop=0", "empty address"),
    ],
)
def test_what_cannot_be_understood_is_named_and_shows_no_secret(text: str, told: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_cameras(text)
    assert told in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://user:secret@host:554/a/b?token=secret#c", "rtsp://host:554/a/b"),
        ("http://host/a?key=secret", "http://host/a"),
        ("rtsp://user:se/cret@host/a", "rtsp://host/a"),
        ("rtsp://user:se?cret@host/a", "rtsp://…"),
        ("front:rtsp://user:secret@host/a", "front:rtsp://host/a"),
        ("wss://user:secret@host/ws/camera", "wss://host/ws/camera"),
        ("clips/a@b.mp4", "clips/a@b.mp4"),
    ],
)
def test_an_address_is_shown_without_user_password_and_query(address: str, shown: str) -> None:
    assert redact(address) == shown


@given(
    scheme=st.sampled_from(["rtsp", "http", "https", "rtmp"]),
    user=st.text(st.characters(exclude_characters="@:/?#", exclude_categories=["C"]), max_size=5),
    secret=st.text(st.characters(exclude_categories=["C"]), min_size=12, max_size=12),
)
def test_no_password_survives_redaction(scheme: str, user: str, secret: str) -> None:
    assert secret not in redact(f"{scheme}://{user}:{secret}@host/path")
    assert secret not in show(parse_address(f"{scheme}://{user}:{secret}@host/path"))


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8).filter(
                lambda name: name != "gym"
            ),
            st.sampled_from(
                [
                    "/dev/video0",
                    "/dev/video17",
                    "rtsp://u:p@h:1/x?a=1,2",
                    "a.mp4",
                    "gym:squat?view=front,side",
                    "x,y.mp4",
                ]
            ),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda pair: pair[0],
    )
)
def test_what_is_joined_by_commas_comes_apart_again(pairs: list[tuple[str, str]]) -> None:
    text = ",".join(f"{name}:{source}" for name, source in pairs)
    assert named(text) == {name: parse_address(source) for name, source in pairs}


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("grpc://pose:50052", Server("grpc", "dns:///pose:50052")),
        ("pose:50052", Server("grpc", "dns:///pose:50052")),
        ("grpc://[::1]:50052/", Server("grpc", "dns:///[::1]:50052")),
        ("dns:///127.0.0.1:50052", Server("grpc", "dns:///127.0.0.1:50052")),
        ("unix:/run/pose.sock", Server("grpc", "unix:/run/pose.sock")),
        ("ws://host:8000", Server("websocket", "ws://host:8000/ws/camera")),
        ("ws://host:8000/", Server("websocket", "ws://host:8000/ws/camera")),
        ("wss://host/other/camera", Server("websocket", "wss://host/other/camera")),
    ],
)
def test_a_server_is_understood(text: str, server: Server) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", "pose", "grpc://pose", "http://pose:1", "ws://", "grpc://u:p@pose:1"])
def test_a_server_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_server(text)


def test_a_camera_without_a_name_gets_one() -> None:
    assert default_name(Device(2)) == "camera2"
    assert default_name(Device(None)) == "camera0"
    assert default_name(Recording("a.mp4")) == "camera0"
    assert default_name(Virtual("gym:squat")) == "gym"
