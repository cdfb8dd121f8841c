"""One WebSocket to a gateway's /ws/camera, as the camera clients before KOMI's gRPC spoke it.

There is no credit and no clock probe in that contract: at most two frames are on the way at a time, and the gateway
times them by their timestamps.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Response

from services.capture import metrics
from services.capture.addresses import redact
from services.capture.camera import Camera
from services.capture.encoding import encode
from services.capture.errors import LinkLost, Refused
from services.capture.frames import Frame
from services.capture.link import StreamOver
from services.capture.states import LinkState
from services.mesh.errors import KomiError
from services.mesh.stages import monotonic_ns, unix_minus_monotonic_ns

log = structlog.get_logger()

CONNECT_S = 3.0
WINDOW = 2
ANSWER_S = 1.0
"""A frame that a newer one overtook gets no answer: after this long its place is free again."""
PING_PERIOD_S = 0.25
SILENCE_S = 5.0
REFUSALS = {400, 401, 403, 404, 409, 429}


class WebSocketStream:
    """Runs one connection, once."""

    def __init__(
        self,
        camera: Camera,
        address: str,
        token: str,
        encoders: Executor,
        on_answer: Callable[[dict[str, Any]], None],
    ) -> None:
        """`address`: ws://host:port/ws/camera. `token`: empty for none. `on_answer` takes what comes back, as it is."""
        self._camera = camera
        parts = urlsplit(address)
        query = "&".join(filter(None, [parts.query, urlencode({"camera_id": camera.camera_id})]))
        self._address = parts._replace(query=query).geturl()
        self._shown = redact(address)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._encoders = encoders
        self._on_answer = on_answer
        self._under_way: deque[tuple[float, float]] = deque()
        """Timestamp and instant of sending (loop time) of frames without an answer."""
        self._answered = asyncio.Event()
        self._log = log.bind(camera=camera.camera_id)

    async def run(self) -> None:
        """See services.capture.link.Stream."""
        try:
            async with connect(
                self._address,
                additional_headers=self._headers,
                open_timeout=CONNECT_S,
                ping_interval=None,
                close_timeout=1,
                compression=None,
            ) as socket:
                await self._greet(socket)
                await self._exchange(socket)
        except InvalidStatus as error:
            raise self._refused(error.response) from error
        except ConnectionClosed as error:
            raise LinkLost(
                f"the gateway at {self._shown} went away ({error.code}) {error.reason}".strip()
            ) from error
        except (InvalidHandshake, InvalidURI, OSError, TimeoutError) as error:
            raise LinkLost(
                f"no gateway answers at {self._shown}: check that it runs and that the address is right"
            ) from error

    def _refused(self, response: Response) -> KomiError:
        status = response.status_code
        if status not in REFUSALS:
            return LinkLost(f"the gateway at {self._shown} answered HTTP {status}")
        hint = ": give its camera token with KOMI_CAPTURE_TOKEN" if status in {401, 403} else ""
        pause = response.headers.get("Retry-After", "")
        return Refused(
            f"the gateway at {self._shown} refused the camera (HTTP {status}){hint}",
            retry_after_s=float(pause) if pause.isdecimal() else None,
        )

    async def _greet(self, socket: ClientConnection) -> None:
        async with asyncio.timeout(CONNECT_S):
            greeting = _parse(await socket.recv())
        if greeting.get("type") == "error":
            raise Refused(f"the gateway refused the camera: {greeting.get('message')}")
        if greeting.get("type") != "connection_successful":
            raise LinkLost(f"{self._shown} did not greet as a gateway does: is the address right?")
        self._camera.quality.new_link()
        self._log.info("connected", as_camera=greeting.get("camera_id"))
        self._camera.set_link(LinkState.STREAMING)

    async def _exchange(self, socket: ClientConnection) -> None:
        sending = asyncio.create_task(self._send(socket))
        pending = {
            sending,
            asyncio.create_task(self._receive(socket)),
            asyncio.create_task(self._measure(socket)),
        }
        try:
            while sending in pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _send(self, socket: ClientConnection) -> None:
        """Send until the camera has ended and everything is answered, or will not be."""
        self._camera.drop_stale()
        while True:
            await self._room(WINDOW)
            frame = await self._camera.slot.get()
            if frame is None:
                await self._room(1)
                return
            await self._send_frame(socket, frame)

    async def _room(self, most: int) -> None:
        """Wait until fewer than `most` frames are under way."""
        loop = asyncio.get_running_loop()
        while len(self._under_way) >= most:
            left_s = self._under_way[0][1] + ANSWER_S - loop.time()
            if left_s <= 0:
                self._under_way.popleft()
                continue
            self._answered.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._answered.wait()
            except TimeoutError:
                continue

    async def _send_frame(self, socket: ClientConnection, frame: Frame) -> None:
        loop = asyncio.get_running_loop()
        if frame.jpeg is None:
            frame = await loop.run_in_executor(self._encoders, encode, frame, self._camera.quality.quality)
        assert frame.jpeg is not None
        sent_ns = monotonic_ns()
        timestamp = (unix_minus_monotonic_ns() + frame.stamp_ns) / 1e9
        text = orjson.dumps(
            {
                "type": "frame",
                "timestamp": timestamp,
                "image_data": base64.b64encode(frame.jpeg.data).decode("ascii"),
            }
        )
        self._under_way.append((timestamp, loop.time()))
        await socket.send(text, text=True)
        self._camera.sent(len(frame.jpeg.data))
        self._camera.quality.written((monotonic_ns() - sent_ns) / 1e9, 1 / self._camera.asked.fps)
        metrics.AGE_SECONDS.observe((sent_ns - frame.captured_ns) / 1e9)

    async def _receive(self, socket: ClientConnection) -> None:
        async for text in socket:
            answer = _parse(text)
            match answer.get("type"):
                case "frame_processed":
                    self._answer(answer.get("timestamp"))
                    self._on_answer(answer)
                case "error":
                    reason = str(answer.get("reason", "UNKNOWN"))[:64]
                    metrics.FRAMES_FAILED.labels(self._camera.camera_id, reason).inc()
                    self._log.warning("frame failed", error=reason, message=answer.get("message"))
                    self._answer(None)
        raise StreamOver("closed", "the gateway closed the connection", again_at_once=False)

    def _answer(self, timestamp: object) -> None:
        """Free the place of the frame of this timestamp, and of those before it, which were overtaken."""
        if isinstance(timestamp, int | float):
            while self._under_way and self._under_way[0][0] <= timestamp:
                self._under_way.popleft()
        elif self._under_way:
            self._under_way.popleft()
        self._answered.set()

    async def _measure(self, socket: ClientConnection) -> None:
        """Ping: judges the link, and notices when it is dead."""
        while True:
            sent_ns = monotonic_ns()
            try:
                async with asyncio.timeout(SILENCE_S):
                    await (await socket.ping())
            except TimeoutError:
                raise LinkLost(f"the gateway at {self._shown} fell silent") from None
            self._camera.quality.round_trip((monotonic_ns() - sent_ns) / 1e9, 1 / self._camera.asked.fps)
            await asyncio.sleep(PING_PERIOD_S)


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        answer = None
    return answer if isinstance(answer, dict) else {}
