"""`python -m services.capture` as its users run it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.capture.conftest import MakeVideo
from tests.capture.scripted_pose import ScriptedPose
from tests.support.redis_server import CHECKOUT
from tests.support.waiting import Eventually

COMMAND = [sys.executable, "-m", "services.capture"]


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KOMI_")}
    return {**clean, "KOMI_CAPTURE_PORT": "0", "KOMI_CAPTURE_METRICS_PORT": "0", **more}


def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd=CHECKOUT, env=environment(**more),
    )  # fmt: skip


class Running:
    """A capture process whose output goes to files."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.out, self.log = folder / "out", folder / "log"
        with self.out.open("w") as out, self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments], stdout=out, stderr=log, cwd=CHECKOUT, env=environment()
            )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


# ---------------------------------------------------------------- settings
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "3"], "unrecognized arguments: --speed 3"),
        (["--fps", "0"], "setting fps: Input should be greater than 0"),
        (["--camera", "0", "--cameras", "a:1"], "--camera and --cameras exclude each other"),
        (["--cameras", "a:0,a:1"], "two cameras are named 'a'"),
        (["--server", "http://x:1"], "is of no known kind"),
        (["--quality-min", "80", "--quality-max", "60"], "quality_min is above quality_max"),
    ],
)
def test_a_wrong_setting_is_named_and_ends_with_status_2(arguments: list[str], told: str) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr


def test_an_unknown_variable_is_named_with_the_nearest_known_one() -> None:
    finished = run(KOMI_CAPTURE_WITDH="3")
    assert finished.returncode == 2
    assert "unknown setting KOMI_CAPTURE_WITDH: did you mean KOMI_CAPTURE_WIDTH?" in finished.stderr


def test_the_old_clients_flags_are_still_understood() -> None:
    text = run("--help").stdout
    for flag in ("--server", "--cameras", "--camera", "--fps", "--width", "--height"):
        assert f"{flag} " in text


def test_a_port_in_use_is_told_with_what_to_do(make_video: MakeVideo) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finished = run("--port", str(port), "--cameras", f"a:{make_video()}")
    assert finished.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr


# ---------------------------------------------------------------- the program
async def test_a_recording_played_once_ends_the_program_with_status_0_and_every_pose_printed(
    pose: ScriptedPose, make_video: MakeVideo, tmp_path: Path, eventually: Eventually
) -> None:
    arguments = ("--server", pose.address, "--no-loop", "--print-poses", "--fps", "30")
    cameras = f"front:{make_video('a', frames=30)},side:{make_video('b', frames=20)}"
    with Running(tmp_path, *arguments, "--cameras", cameras) as capture:
        await eventually(lambda: capture.process.poll() is not None, what="the end of the program")
        assert capture.process.returncode == 0, capture.log.read_text()
    lines = [json.loads(line) for line in capture.out.read_text().splitlines()]
    for name, last in (("front", 29), ("side", 19)):
        printed = sorted(line["sequence"] for line in lines if line["camera_id"] == name)
        # Of a machine that is busy for a moment the newest frames are taken, and the last one is always the newest.
        assert printed == sorted(frame.sequence for frame in pose.frames_of(name))
        assert printed[-1] == last
    assert all(len(line["image_px"]) == 66 and line["latency_ms"] < 30_000 for line in lines)
    logged = [json.loads(line) for line in capture.log.read_text().splitlines()]
    assert {line["service"] for line in logged} == {"capture"}
    assert {line["camera"] for line in logged if line["event"] == "connected"} == {"front", "side"}


async def test_it_stops_quickly_and_in_good_order_when_told_to(
    pose: ScriptedPose, make_video: MakeVideo, tmp_path: Path, eventually: Eventually
) -> None:
    cameras = f"a:{make_video(frames=900)}"

    async def stop_one() -> float:
        known = len(pose.frames)
        with Running(tmp_path, "--server", pose.address, "--cameras", cameras) as capture:
            await eventually(lambda: len(pose.frames) > known + 5, what="frames")
            began_s = time.monotonic()
            capture.process.send_signal(signal.SIGTERM)
            await eventually(lambda: capture.process.poll() is not None, what="the end of the program")
            assert capture.process.returncode == 0, capture.log.read_text()
        return time.monotonic() - began_s

    took_s = float("inf")
    for _ in range(4):  # the machine may be busy for a moment
        took_s = await stop_one()
        if took_s < 4 and pose.connections[-1].complete:
            return
    raise AssertionError(f"it takes {took_s:.1f} s, or leaves its stream open")


async def test_no_password_reaches_the_log(
    pose: ScriptedPose, tmp_path: Path, eventually: Eventually
) -> None:
    source = "door:rtsp://user:secret@127.0.0.1:1/live?token=secret"
    with Running(tmp_path, "--server", pose.address, "--cameras", source, "--log-level", "debug") as capture:
        await eventually(lambda: "camera lost" in capture.log.read_text(), what="the loss")
    logged = capture.log.read_text() + capture.out.read_text()
    assert "rtsp://127.0.0.1:1/live cannot be opened" in logged
    assert "secret" not in logged


async def test_an_epoch_is_never_used_twice_over_a_restart(
    pose: ScriptedPose, make_video: MakeVideo, tmp_path: Path, eventually: Eventually
) -> None:
    async def epoch() -> int:
        known = len(pose.connections)
        with Running(tmp_path, "--server", pose.address, "--cameras", f"a:{make_video(frames=900)}"):
            # Of another stream: frames of the process before may still be on their way.
            await eventually(
                lambda: len(pose.connections) > known and bool(pose.connections[-1].frames), what="frames"
            )
            return pose.connections[-1].frames[-1].epoch

    first = await epoch()
    assert await epoch() > first
