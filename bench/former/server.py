"""`python -m bench.former.server TASK PORT`: one FastAPI process, base64 JSON in, 100 ms polling out.

Kinder than what it stands for: inference runs in threads, so that all cores help and the event loop stays free.
"""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from bench.stock.landmarker import load

POLL_S = 0.1


class Poses:
    """The newest pose of each camera."""

    def __init__(self, task: str) -> None:
        self.newest: dict[str, dict[str, Any]] = {}
        self._task = task

    def landmarker(self) -> Any:
        """One camera's model."""
        return load(Path(self._task))

    def look(self, landmarker: Any, message: dict[str, Any], at_ms: int) -> dict[str, Any]:
        """Decode and infer one frame."""
        import mediapipe

        data = np.frombuffer(base64.b64decode(message["image_data"]), np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if bgr is None:
            raise ValueError("no JPEG")
        image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        height, width = image.shape[:2]
        began = time.perf_counter()
        found = landmarker.detect_for_video(mediapipe.Image(mediapipe.ImageFormat.SRGB, image), at_ms)
        return {
            "inference_s": time.perf_counter() - began,
            "pose": [
                {
                    "keypoints": [
                        {"id": n, "x": mark.x * width, "y": mark.y * height, "confidence": mark.visibility}
                        for n, mark in enumerate(person)
                    ]
                }
                for person in found.pose_landmarks
            ],
            "timestamp": message["timestamp"],
        }


def make_app(task: str) -> FastAPI:
    """The application."""
    app, poses = FastAPI(), Poses(task)

    @app.get("/")
    async def status() -> dict[str, str]:
        return {"status": "running"}

    @app.websocket("/ws/camera")
    async def camera(socket: WebSocket, name: str) -> None:
        await socket.accept()
        landmarker = await asyncio.to_thread(poses.landmarker)
        await socket.send_json({"type": "connection_successful", "camera_id": name})
        at_ms = 0
        try:
            while True:
                message = json.loads(await socket.receive_text())
                at_ms = max(at_ms + 1, int(time.monotonic() * 1000))
                poses.newest[name] = await asyncio.to_thread(poses.look, landmarker, message, at_ms)
                await socket.send_json(
                    {"type": "frame_processed", "client_id": name, "pose_data": poses.newest[name]}
                )
        except WebSocketDisconnect:
            pass
        finally:
            landmarker.close()

    @app.websocket("/ws/monitor")
    async def monitor(socket: WebSocket) -> None:
        await socket.accept()
        told: dict[str, Any] = {}
        try:
            while True:
                for name, pose in poses.newest.items():
                    if told.get(name) is not pose:
                        told[name] = pose
                        await socket.send_json(
                            {"type": "status_update", "camera_id": name, "pose_data": pose}
                        )
                await asyncio.sleep(POLL_S)
        except WebSocketDisconnect:
            pass

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
