"""Uploads the reference, hands it to the session and tells how the session goes: a client of the gateway like any other."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

SESSION = "live"
BUILD_S = 180.0
"""Longest a reference may take to build."""
AGAIN = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
"""Statuses that say so: ask again."""
TOPICS = "poses,score,repetition,advice,status"


class StageError(Exception):
    """The reference could not be set; the message says why."""


class NotYet(StageError):
    """Nothing is wrong with what was asked: part of the mesh was away or busy, and it is worth asking again."""


async def set_reference(gateway: str, video: Path, name: str, exercise: str, *, keep: bool = False) -> str:
    """Builds a reference from `video` and gives it to the session; returns its id. Raises StageError.

    With `keep`, a session that has a reference already keeps it, and a reference of that name is not built twice.
    """
    async with httpx.AsyncClient(base_url=gateway, timeout=httpx.Timeout(30.0, read=BUILD_S)) as client:
        try:
            if keep and (
                present := (await _json(client, "GET", f"/api/v1/sessions/{SESSION}"))["reference_id"]
            ):
                return str(present)
            reference_id = await _named(client, name) if keep else None
            reference_id = reference_id or await build_reference(client, video, name, exercise)
            await _json(client, "PATCH", f"/api/v1/sessions/{SESSION}", json={"reference_id": reference_id})
        except httpx.HTTPError as error:
            raise NotYet(f"the gateway at {gateway} did not answer: {error!r}") from error
    return reference_id


async def _named(client: httpx.AsyncClient, name: str) -> str | None:
    found = (await _json(client, "GET", "/api/v1/references"))["references"]
    return next((str(reference["reference_id"]) for reference in found if reference["name"] == name), None)


async def build_reference(client: httpx.AsyncClient, video: Path, name: str, exercise: str) -> str:
    """Uploads a sample video and waits for the reference made of it; returns its id. Raises StageError."""
    with video.open("rb") as file:
        build = await _json(
            client, "POST", "/api/v1/references",
            data={"name": name, "exercise": exercise}, files={"file": (video.name, file, "video/mp4")},
        )  # fmt: skip
    try:
        async with asyncio.timeout(BUILD_S):
            while build["state"] == "running":
                await asyncio.sleep(0.2)
                build = await _json(client, "GET", f"/api/v1/references/builds/{build['build_id']}")
    except TimeoutError:
        raise NotYet(f"the reference from {video.name} is not built after {BUILD_S:g} s") from None
    if build["state"] != "done":
        raise _error(f"no reference could be built from {video.name}", build["problem"] or {})
    return str(build["reference"]["reference_id"])


async def _json(client: httpx.AsyncClient, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.request(method, path, **arguments)
    try:
        body = answer.json()
    except json.JSONDecodeError:
        body = {}
    if answer.is_error:
        said = f"{method} {path} answered {answer.status_code}"
        raise _error(said, {"status": answer.status_code, **body})
    return dict(body)


def _error(said: str, problem: dict[str, Any]) -> StageError:
    kind = NotYet if problem.get("status") in AGAIN else StageError
    return kind(f"{said}: {problem.get('detail', 'no reason given')}")


@dataclass
class Glance:
    """What the session's newest messages say, for one line a second."""

    cameras: dict[str, float] = field(default_factory=dict)
    """Frames a second by camera."""
    seen: dict[str, bool] = field(default_factory=dict)
    """Whether a person is in the camera's newest frame."""
    state: str = "waiting for poses"
    score: float | None = None
    repetitions: int = 0
    last_repetition: float | None = None
    """Score of the newest completed repetition."""
    advice: str = ""
    latency_ms: float | None = None
    """From the shutter of the newest frame to the WebSocket."""

    def take(self, message: dict[str, Any]) -> None:
        """Note one message of `WS /ws/v1/sessions/{id}`."""
        kind = message.get("type")
        if kind == "status":
            self.cameras = {
                camera["camera_id"]: camera["fps"] or 0.0
                for camera in message["cameras"]
                if camera["connected"]
            }
        elif kind == "poses":
            self.seen.update({camera["camera_id"]: bool(camera["image_px"]) for camera in message["cameras"]})
            self.latency_ms = (message.get("stages_ms") or {}).get("pushed", self.latency_ms)
        elif kind == "repetition":
            self.last_repetition = message["score"]
        elif kind == "score":
            self.state, self.score = message["state"], message["score"]
            self.repetitions = message["repetitions"]
            self.advice = (message["cue"] or {}).get("text_en", "")
            self.latency_ms = (message.get("stages_ms") or {}).get("pushed", self.latency_ms)

    def line(self) -> str:
        """`front 30 fps  side 30 fps │ tracking │ score 87 │ 3 repetitions, the last 91 │ 38 ms │ Push your knees out.`."""
        parts = [
            "  ".join(
                f"{name} {fps:.0f} fps" + ("" if self.seen.get(name, False) else " (nobody)")
                for name, fps in sorted(self.cameras.items())
            )
            or "no camera yet",
            self.state.replace("_", " "),
            f"score {'–' if self.score is None else format(self.score, '.0f')}",
            f"{self.repetitions} repetition{'' if self.repetitions == 1 else 's'}"
            + ("" if self.last_repetition is None else f", the last {self.last_repetition:.0f}"),
            f"{'–' if self.latency_ms is None else format(self.latency_ms, '.0f')} ms",
        ]
        return " │ ".join(part for part in [*parts, self.advice] if part)


async def watch(gateway: str, *, period_s: float = 1.0) -> AsyncIterator[Glance]:
    """How the session goes, every `period_s`; waits for the gateway whenever it is away."""
    glance = Glance()
    reader = asyncio.create_task(_follow(gateway, glance), name="follow the session")
    try:
        while True:
            done, _ = await asyncio.wait({reader}, timeout=period_s)
            if done:
                reader.result()
            yield glance
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def _follow(gateway: str, glance: Glance) -> None:
    address = f"ws{gateway.removeprefix('http')}/ws/v1/sessions/{SESSION}?topics={TOPICS}"
    while True:
        try:
            async with connect(address, max_size=1 << 22, open_timeout=20, close_timeout=0.2) as socket:
                async for text in socket:
                    glance.take(json.loads(text))
        except (OSError, InvalidStatus, WebSocketException, TimeoutError) as error:
            glance.state = f"no answer from the gateway ({type(error).__name__})"
            glance.score = glance.latency_ms = None
        await asyncio.sleep(0.5)
