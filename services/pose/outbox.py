"""What waits to go back on one stream: bounded, the urgent first."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from komi.common.v1 import pose_pb2, stream_pb2
from komi.pose.v1 import pose_service_pb2

Response = pose_service_pb2.StreamPosesResponse

MOST_LATE_ANSWERS = 32
"""Answers kept for a client that does not read."""


class Outbox:
    """Order: clock replies, changes of session, credit, drop notices, answers to frames, end.

    `now_ns` is the server clock, read when a clock reply leaves. `newest_wins`: a client that does not read loses the
    oldest poses; otherwise credit bounds what waits.
    """

    def __init__(self, now_ns: Callable[[], int], *, newest_wins: bool) -> None:
        self._now_ns = now_ns
        self._newest_wins = newest_wins
        self._notices: deque[Response] = deque()
        self._replies: deque[stream_pb2.ClockReply] = deque(maxlen=MOST_LATE_ANSWERS)
        self._credit = 0
        self._max_fps = 0.0
        self._dropped: Counter[stream_pb2.DropReason.ValueType] = Counter()
        self._answers: deque[Response] = deque()
        self._end: stream_pb2.StreamEnd | None = None
        self._finished = False
        self._error: Exception | None = None
        self._wake = asyncio.Event()

    @property
    def ending(self) -> bool:
        """Whether the stream has been told to end."""
        return self._end is not None or self._error is not None or self._finished

    def notice(self, response: Response) -> None:
        """Something the client should know soon."""
        self._notices.append(response)
        self._wake.set()

    def clock_reply(self, reply: stream_pb2.ClockReply) -> None:
        """Answer a probe; t2 is filled in when the reply leaves."""
        self._replies.append(reply)
        self._wake.set()

    def credit(self, frames: int, max_fps: float) -> None:
        """Allow more frames; grants that wait are added up."""
        self._credit += frames
        self._max_fps = max_fps
        self._wake.set()

    def dropped(self, reason: stream_pb2.DropReason.ValueType, count: int = 1) -> None:
        """Tell that frames were given up; notices that wait are added up."""
        self._dropped[reason] += count
        self._wake.set()

    def pose(self, frame: pose_pb2.PoseFrame) -> bool:
        """Send a pose back. False: the client does not read, and the oldest answer was given up for it."""
        return self._answer(Response(pose=frame))

    def failed(self, failure: stream_pb2.FrameFailed) -> bool:
        """Tell that one frame could not be used. False: as for pose."""
        return self._answer(Response(failed=failure))

    def end(self, end: stream_pb2.StreamEnd) -> None:
        """Send what waits, then say why, then stop. The first reason stands."""
        if not self.ending:
            self._end = end
            self._wake.set()

    def fail(self, error: Exception) -> None:
        """Stop at once: `next` raises the error."""
        if self._error is None:
            self._error = error
            self._wake.set()

    async def next(self) -> Response | None:
        """The next message, None after the end. Raises what `fail` was given."""
        while not self._finished:  # what comes of frames that arrive after the end is told to nobody
            if self._error is not None:
                raise self._error
            response = self._pop()
            if response is not None:
                return response
            self._wake.clear()
            await self._wake.wait()
        return None

    def _answer(self, response: Response) -> bool:
        full = self._newest_wins and len(self._answers) >= MOST_LATE_ANSWERS
        if full:
            self._answers.popleft()
        self._answers.append(response)
        self._wake.set()
        return not full

    def _pop(self) -> Response | None:
        if self._replies:
            reply = self._replies.popleft()
            reply.server_send_unix_ns = self._now_ns()
            return Response(clock_reply=reply)
        if self._notices:
            return self._notices.popleft()
        if self._credit:
            credit = pose_service_pb2.Credit(frames=self._credit, max_fps=self._max_fps)
            self._credit = 0
            return Response(credit=credit)
        if self._dropped:
            reason, count = self._dropped.popitem()
            return Response(dropped=stream_pb2.DropNotice(reason=reason, count=count))
        if self._answers:
            return self._answers.popleft()
        if self._end is not None:
            self._finished = True
            return Response(end=self._end)
        return None
