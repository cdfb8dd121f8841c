"""Sources give their frames, and say clearly why they do not."""

import itertools
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.capture.addresses import Address, Device, Network, Recording, Virtual
from services.capture.errors import SourceLost
from services.capture.playback import Playback
from services.capture.sources import device, virtual
from services.capture.sources.opening import open_source
from services.capture.sources.source import BrokenFrame, Grabbed, Source
from services.capture.states import Target
from services.mesh.stages import monotonic_ns
from tests.capture.conftest import MakeVideo, write_video

TARGET = Target(15, 640, 480)


def opened(
    address: Address, playback: Playback | None = None, *, track: str = "a", loop: bool = False
) -> Source:
    return open_source(address, track, playback or standing_still([track]), TARGET, loop=loop)


def standing_still(tracks: Iterable[str]) -> Playback:
    """A timeline that nothing holds up, however slow the machine: no time passes."""
    now_ns = monotonic_ns()
    return Playback(tracks, lambda: now_ns)


def grab_all(source: Source, most: int = 10_000) -> list[Grabbed]:
    frames: list[Grabbed] = []
    while len(frames) < most and (grabbed := source.grab()) is not None:
        frames.append(grabbed)
    return frames


# ---------------------------------------------------------------- video files
def test_every_frame_of_a_video_comes_at_its_own_time(make_video: MakeVideo) -> None:
    source = opened(Recording(str(make_video(frames=25, fps=25))))
    frames = grab_all(source)
    source.close()
    assert [frame.number for frame in frames] == list(range(25))
    assert [frame.media_us for frame in frames] == [n * 40_000 for n in range(25)]
    assert {b.captured_ns - a.captured_ns for a, b in itertools.pairwise(frames)} == {40_000_000}


def test_the_frame_grabbed_is_the_frame_retrieved(make_video: MakeVideo) -> None:
    source = opened(Recording(str(make_video(frames=20, fps=20))))
    brightness = []
    for _ in range(20):
        assert source.grab() is not None
        brightness.append(float(source.retrieve().mean()))
    source.close()
    assert brightness == pytest.approx([20 + 8 * n for n in range(20)], abs=3.9)


def test_a_looped_video_goes_on_without_a_gap(make_video: MakeVideo) -> None:
    source = opened(Recording(str(make_video(frames=10, fps=50))), loop=True)
    frames = grab_all(source, most=35)
    assert [frame.media_us for frame in frames[8:12]] == [160_000, 180_000, 0, 20_000]
    assert {b.captured_ns - a.captured_ns for a, b in itertools.pairwise(frames)} == {20_000_000}
    assert float(source.retrieve().mean()) == pytest.approx(20 + 8 * 4, abs=3.9)
    source.close()


def test_an_option_of_the_file_overrides_looping(make_video: MakeVideo) -> None:
    source = opened(Recording(str(make_video(frames=5)), loop=False), loop=True)
    assert len(grab_all(source, most=20)) == 5
    source.close()


def test_frame_n_of_two_recordings_has_the_same_capture_time(make_video: MakeVideo) -> None:
    playback = standing_still(["a", "b"])
    names = {"a": make_video("a", frames=30, fps=30), "b": make_video("b", frames=27, fps=30)}
    times: dict[str, list[Grabbed]] = {}

    def play(track: str) -> None:
        source = opened(Recording(str(names[track])), playback, track=track, loop=True)
        times[track] = grab_all(source, most=57)
        source.close()

    threads = [threading.Thread(target=play, args=(track,)) for track in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    first = {frame.captured_ns: frame.media_us for frame in times["a"]}
    shared = [frame for frame in times["b"] if frame.captured_ns in first]
    assert len(shared) >= 27 + 26
    assert all(first[frame.captured_ns] == frame.media_us for frame in shared)


def test_a_video_that_joins_late_begins_where_the_others_are(make_video: MakeVideo) -> None:
    now_ns = monotonic_ns()
    playback = Playback([], lambda: now_ns)
    playback.begin("a")
    now_ns = playback.place(0).due_ns + 410_000_000
    source = opened(Recording(str(make_video(frames=30, fps=30))), playback, track="b")
    grabbed = source.grab()
    assert grabbed is not None
    assert grabbed.media_us == pytest.approx(433_333, abs=1)
    assert float(source.retrieve().mean()) == pytest.approx(20 + 8 * 13, abs=3.9)
    source.close()


def test_real_recordings_are_read_to_their_last_frame(shared_data: Path) -> None:
    source = opened(Recording(str(shared_data / "pose2sim-demo" / "videos" / "cam01.mp4")))
    first = source.grab()
    assert first is not None
    assert source.retrieve().shape == (1920, 1080, 3)
    frames = [first, *grab_all(source)]
    source.close()
    assert len(frames) == 100
    assert frames[60].media_us == 1_000_000


# ---------------------------------------------------------------- folders
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    for n in range(12):
        cv2.imwrite(str(made / f"frame {n}.png"), np.full((24, 32, 3), 10 * n, np.uint8))
    (made / "notes.txt").write_text("no image")
    return made


def test_a_folder_is_played_in_the_order_of_its_numbers(folder: Path) -> None:
    source = opened(Recording(str(folder), fps=10))
    shown = []
    while (grabbed := source.grab()) is not None:
        shown.append((grabbed.media_us, int(source.retrieve()[0, 0, 0])))
    source.close()
    assert shown == [(n * 100_000, 10 * n) for n in range(12)]


def test_a_folder_without_its_own_pace_is_played_at_the_rate_asked_for(folder: Path) -> None:
    source = opened(Recording(str(folder)))
    frames = grab_all(source)
    source.close()
    assert frames[-1].media_us == pytest.approx(11 * 1e6 / 15, abs=1)


def test_a_broken_image_in_a_folder_is_named_and_the_next_one_comes(folder: Path) -> None:
    (folder / "frame 1.png").write_bytes(b"no image at all")
    source = opened(Recording(str(folder), fps=10))
    source.grab()
    source.retrieve()
    source.grab()
    with pytest.raises(BrokenFrame, match=r"frame 1\.png is no image"):
        source.retrieve()
    source.grab()
    assert int(source.retrieve()[0, 0, 0]) == 20
    source.close()


def test_a_folder_of_jpegs_gives_them_as_they_are(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.jpg"), np.full((24, 32, 3), 90, np.uint8))
    source = opened(Recording(str(tmp_path), fps=10))
    source.grab()
    own = source.jpeg()
    assert own is not None
    assert (own.data, own.width, own.height) == ((tmp_path / "1.jpg").read_bytes(), 32, 24)
    assert source.retrieve().shape == (24, 32, 3)
    source.close()


# ---------------------------------------------------------------- what is not there
def told(address: Address) -> str:
    with pytest.raises(SourceLost) as caught:
        opened(address)
    return caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert told(Recording(f"{tmp_path}/none.mp4")) == f"there is no file {tmp_path}/none.mp4"
    assert "NAME:FILE,NAME:FILE" in told(Recording(f"{tmp_path}/a.mp4,{tmp_path}/b.mp4"))


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no video")
    assert f"{text} is no video" in told(Recording(str(text)))
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert f"{empty} is no video" in told(Recording(str(empty)))


def test_a_video_cut_short_plays_as_far_as_it_goes_or_says_so(make_video: MakeVideo) -> None:
    path = make_video(frames=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "is no video" in told(Recording(str(path)))


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    assert f"folder {tmp_path} holds no image" in told(Recording(str(tmp_path)))


def test_a_camera_that_is_not_there_is_told_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "find_devices", list)
    assert told(Device(97)).startswith("there is no camera 97: this machine has none")
    assert "name a source with --cameras" in told(Device(None))
    monkeypatch.setattr(device, "find_devices", lambda: [0, 2])
    assert told(Device(97)) == "there is no camera 97: this machine has 0, 2"


def test_nodes_that_are_no_cameras_are_not_offered(tmp_path: Path) -> None:
    (tmp_path / "video0").write_text("a file")
    os.mkfifo(tmp_path / "video1")
    (tmp_path / "video").touch()
    assert device.find_devices(tmp_path) == []


def test_a_gym_address_that_cannot_be_read_is_told_with_what_there_is() -> None:
    assert "known:" in told(Virtual("gym:squat?speed=3"))


def test_an_address_where_nobody_answers_is_told_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        message = told(Network(f"http://user:secret@127.0.0.1:{port}/stream?key=secret"))
    assert f"http://127.0.0.1:{port}/stream cannot be opened" in message
    assert "secret" not in message


# ---------------------------------------------------------------- behind an address
class MotionJpeg(BaseHTTPRequestHandler):
    """An IP camera: /stream is endless Motion JPEG, /short ends after five pictures."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        good, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))
        assert good
        part = (
            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg.tobytes()
        )
        try:
            for _ in range(60 if self.path == "/short" else 100_000):
                self.wfile.write(part + b"\r\n")
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ip_camera() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_motion_jpeg_over_http_is_read_live(ip_camera: str) -> None:
    source = opened(Network(f"{ip_camera}/stream"))
    before_ns = monotonic_ns()
    frames = grab_all(source, most=3)
    assert not source.paced
    assert [frame.number for frame in frames] == [0, 1, 2]
    assert all(before_ns <= frame.captured_ns <= monotonic_ns() for frame in frames)
    assert float(source.retrieve().mean()) == pytest.approx(90, abs=2)
    own = source.jpeg()
    assert own is not None
    assert (own.width, own.height) == (64, 48)
    source.close()


def test_a_live_address_that_ends_is_lost(ip_camera: str) -> None:
    source = opened(Network(f"{ip_camera}/short"))
    with pytest.raises(SourceLost, match="stopped giving pictures"):
        grab_all(source, most=1000)
    source.close()


def test_a_video_behind_http_is_played_like_a_file(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=12, fps=30)

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        source = opened(Recording(f"http://127.0.0.1:{server.server_port}/clip.mp4"))
        assert source.paced
        assert len(grab_all(source)) == 12
        source.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ---------------------------------------------------------------- the virtual gym
def test_a_virtual_camera_gives_pictures_ahead_of_their_time() -> None:
    source = opened(Virtual("gym:squat?size=160x120&supersample=1&fps=20"), loop=True)
    first, second = source.grab(), source.grab()
    assert first is not None
    assert second is not None
    assert second.captured_ns - first.captured_ns == pytest.approx(50_000_000, abs=1000)
    image = source.retrieve()
    assert image.shape == (120, 160, 3)
    assert image.std() > 10
    source.close()


def test_a_virtual_camera_played_once_comes_to_an_end() -> None:
    virtual._first_instant.cache_clear()
    source = opened(Virtual("gym:squat?reps=1&fps=10"), loop=False)
    frames = grab_all(source, most=1000)
    source.close()
    assert 10 < len(frames) < 200
