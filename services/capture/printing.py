"""Prints poses that come back, one JSON line each, for whoever asked for it."""

import queue
import sys
import threading
from typing import Any

import orjson

from komi.common.v1 import pose_pb2, stream_pb2
from services.capture import metrics
from services.mesh.stages import HOST_ID, monotonic_ns
from services.mesh.times import from_duration, from_timestamp

WAITING = 256


class PosePrinter:
    """Writes to standard output from a thread of its own: a reader that is slow loses lines and stops nothing."""

    def __init__(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write, name="pose printer", daemon=True)
        self._thread.start()

    def pose(self, frame: pose_pb2.PoseFrame) -> None:
        """Print what a pose service found."""
        landmarks = frame.pose if frame.HasField("pose") else None
        here = frame.stamps.capture_host_id == HOST_ID
        self.answer(
            {
                "camera_id": frame.id.camera_id,
                "session_id": frame.id.session_id,
                "epoch": frame.id.epoch,
                "sequence": frame.id.sequence,
                "server_us": from_timestamp(frame.time.server_time)
                if frame.time.HasField("server_time")
                else None,
                "media_us": from_duration(frame.media_time) if frame.HasField("media_time") else None,
                "uncertainty_us": frame.time.uncertainty_us or None,
                "latency_ms": round((monotonic_ns() - frame.stamps.captured_monotonic_ns) / 1e6, 1)
                if here
                else None,
                "image_px": [round(value, 1) for value in landmarks.image_px] if landmarks else None,
                "visibility": [round(value, 3) for value in landmarks.visibility] if landmarks else None,
            }
        )

    def answer(self, answer: dict[str, Any]) -> None:
        """Print an answer as it is."""
        try:
            self._lines.put_nowait(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
        except queue.Full:
            metrics.dropped("print", stream_pb2.DROP_REASON_OVERFLOW)

    def close(self) -> None:
        """Print what waits, for a second at most."""
        try:
            self._lines.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(1.0)

    def _write(self) -> None:
        out = sys.stdout.buffer
        try:
            while (line := self._lines.get()) is not None:
                out.write(line)
                if self._lines.empty():
                    out.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads any more.
            return
