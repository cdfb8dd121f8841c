"""`python -m services.pose` as a process: starts with one clear line or not at all, stops at once, dies alone."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from komi.common.v1 import stream_pb2
from services.mesh.channel import open_channel
from tests.pose.camera import Camera
from tests.pose.conftest import Video
from tests.pose.ingest import IngestServer
from tests.support.redis_server import free_port

CHECKOUT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.pose", "--metrics-port=0", *arguments]


def refused(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of a start that cannot succeed."""
    done = subprocess.run(
        command(*arguments),
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_an_unknown_setting_is_named_with_the_nearest_known_one() -> None:
    code, said = refused(KOMI_POSE_MODLE="lite")
    assert code == 2
    assert said == "pose: unknown setting KOMI_POSE_MODLE: did you mean KOMI_POSE_MODEL?"


def test_a_wrong_value_is_named() -> None:
    code, said = refused("--workers=-1")
    assert code == 2
    assert "workers" in said
    assert "Traceback" not in said


def test_a_missing_model_is_one_line_with_the_command_that_makes_it(tmp_path: Path) -> None:
    code, said = refused("--port=0", KOMI_CACHE_DIR=str(tmp_path))
    assert code == 1
    assert said.splitlines()[-1].startswith("pose: the pose model 'full' is not at ")
    assert "python -m services.pose.models full" in said
    assert "Traceback" not in said


def test_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.task").write_bytes(b"no bundle")
    code, said = refused("--port=0", f"--model={tmp_path / 'wrong.task'}")
    assert code == 1
    assert said.splitlines()[-1].startswith("pose: ")
    assert "wrong.task is no pose model that can be used" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_one_line(full_model: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, said = refused(f"--port={port}")
    assert code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in said.splitlines()[-1]


class Program:
    """A pose service in a process of its own, on a fixed port."""

    def __init__(self, redis_url: str, sync: str) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._arguments = (
            f"--port={self.port}",
            f"--redis-url={redis_url}",
            f"--sync={sync}",
            "--drain-s=40",
        )

    async def start(self) -> None:
        """Start, and return once it is ready: before, frames without a time of their own reach nobody but the sender."""
        self._spawn()
        channel = open_channel(f"127.0.0.1:{self.port}")
        health = health_pb2_grpc.HealthStub(channel)
        try:
            async with asyncio.timeout(60):
                await channel.channel_ready()
                async for answer in health.Watch(health_pb2.HealthCheckRequest()):
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        break
        finally:
            await channel.close(None)

    def _spawn(self) -> None:
        self.process = subprocess.Popen(command(*self._arguments), cwd=CHECKOUT, stderr=subprocess.DEVNULL)

    def end(self, signum: signal.Signals) -> int:
        """Send a signal and wait for the exit code."""
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(timeout=60)


@pytest.fixture
async def program(full_model: Path, redis_url: str, sync_server: IngestServer) -> AsyncIterator[Program]:
    made = Program(redis_url, sync_server.address)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)


async def test_it_stops_at_once_on_sigterm_and_tells_its_cameras(program: Program, squats: Video) -> None:
    await program.start()
    channel = open_channel(f"127.0.0.1:{program.port}")
    camera = Camera(channel)
    await camera.open(camera_id="front", return_poses=True)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    began = time.monotonic()
    code = await asyncio.to_thread(program.end, signal.SIGTERM)
    assert time.monotonic() - began < 20, "its grace is 40 s"
    assert code == 0
    assert (await camera.ended()).reason == stream_pb2.STREAM_END_REASON_DRAINING
    await channel.close(None)


async def test_after_a_kill_the_next_one_takes_the_same_camera_on_at_once(
    program: Program, squats: Video, sync_server: IngestServer
) -> None:
    """The dead process could not give the camera's name back: the camera proves by its instance that it is the same."""
    await program.start()
    channel = open_channel(f"127.0.0.1:{program.port}")
    camera = Camera(channel)
    await camera.open(camera_id="front", instance_id="camera process", return_poses=True)
    await camera.frame(squats.jpegs[0])
    await camera.count("pose", 1)
    await sync_server.until("live", 1)
    await asyncio.to_thread(program.end, signal.SIGKILL)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await camera.ended()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await program.start()
    again = Camera(channel)
    await again.open(camera_id="front", instance_id="camera process", return_poses=True)
    await again.frame(squats.jpegs[1], sequence=1)
    await again.count("pose", 1)
    await sync_server.until("live", 2)
    assert sync_server.sequences() == [0, 1]
    await again.close()
    await channel.close(None)
