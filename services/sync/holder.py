"""A session at the replica that holds it: what comes is matched with what waits, and a turn changes the store at once."""

import time
from collections import deque
from collections.abc import Sequence

from komi.common.v1 import pose_pb2, stream_pb2
from services.mesh.sessions import SessionConfig
from services.mesh.stages import monotonic_ns
from services.mesh.telemetry import DROPS
from services.mesh.times import drop_name
from services.sync import codec
from services.sync.arrivals import ArrivalNumbers
from services.sync.figures import Figures
from services.sync.frames import Frame
from services.sync.groups import Group, Missing
from services.sync.matcher import SessionMatcher
from services.sync.metrics import OfSession
from services.sync.parts import Parts
from services.sync.status import Clocks
from services.sync.store import Stored, Turn, parse_arrival
from services.sync.ticks import TickMatcher
from services.sync.views import Views

TAKE_OVER_US = 2_000_000
"""Cameras that were heard of within this time are expected after a take-over."""
MOST_GROUPED = 2
"""Sessions of more cameras are resampled, unless they say otherwise."""


class Holder:
    """Matches one session. `load` takes it over; then every `turn` takes poses in and lets sets out."""

    def __init__(self, session_id: str, parts: Parts) -> None:
        self.session_id = session_id
        self._parts = parts
        self.matcher = self._new_matcher(False)
        self.views = Views(codec.to_samples)
        self.figures = Figures()
        self.metrics = OfSession(session_id)
        self.clocks: Clocks = {}
        """What each camera's poses last said of its clock."""
        self.renewed_s = 0.0
        """When a turn last renewed the lease, time.monotonic()."""
        self.sets = 0
        self.committed_us = 0
        """Sets at or before it are final; 0 while unknown."""
        self.stale = True
        """The store may not be as the matcher has it: `load` before the next turn."""
        self._announced: deque[bytes] = deque(maxlen=parts.settings.most_frames)
        self._numbers = ArrivalNumbers()
        self._forget: list[str] = []

    # ------------------------------------------------------------ state
    async def load(self, token: int) -> None:
        """Take the session as the store has it, under a fencing token. Raises Fenced, UNREACHABLE."""
        self.stale = False
        claimed = await self._parts.store.claim(self.session_id, token, self.committed_us, self.sets)
        self.sets, self.committed_us = claimed.sets, claimed.watermark_us
        self._numbers.restart(claimed.announced)
        self._forget = []
        now_us = self._parts.clock.now_us()
        self.matcher.restore(claimed.watermark_us, claimed.frames, now_us, claimed.emitted)
        # Who takes over waits for the cameras that were there a moment ago, lest its first sets lack them.
        cameras = self.matcher.cameras
        recent = [c for c, at_us in claimed.last_arrivals_us.items() if now_us - at_us < TAKE_OVER_US]
        cameras.expect([c for c in recent if c not in cameras.tracks], now_us + cameras.rules.idle_us)

    def forget(self) -> None:
        """Another replica has the session: nothing of it is known here any more."""
        self.stale = True
        self.matcher = self._new_matcher(isinstance(self.matcher, TickMatcher), self.matcher.cameras.named)

    def configure(self, config: SessionConfig) -> None:
        """Do as the session's configuration says from the next set on."""
        self.views.calibrate(config.calibration_toml)
        self.matcher.cameras.named = config.cameras
        cameras = len(config.cameras or self.matcher.cameras.tracks)
        resample = config.resample if config.resample is not None else cameras > MOST_GROUPED
        if resample == isinstance(self.matcher, TickMatcher):
            return
        tracks, self.matcher = self.matcher.cameras.tracks, self._new_matcher(resample, config.cameras)
        self.matcher.cameras.adopt(tracks)
        self.stale = True

    def _new_matcher(self, resample: bool, cameras: Sequence[str] = ()) -> SessionMatcher:
        rules = self._parts.settings.rules()
        return TickMatcher(rules, codec.to_samples, cameras) if resample else SessionMatcher(rules, cameras)

    # ------------------------------------------------------------ in
    def announced(self, message: bytes) -> None:
        """Another replica stored a pose: the next turn takes it in."""
        self._announced.append(message)

    def heard_of_clock(self, pose: pose_pb2.PoseFrame) -> None:
        """Remember what the pose says of its camera's clock."""
        clock = pose.clock if pose.HasField("clock") else self.clocks.get(pose.id.camera_id, (None,))[0]
        self.clocks[pose.id.camera_id] = (clock, pose.time.source)

    def _match(self, frame: Frame) -> Stored:
        if self.matcher.add(frame):
            return Stored.STORED
        if self.matcher.is_double(frame):
            return Stored.DUPLICATE
        self.matcher.missed(frame)
        return Stored.LATE

    def _match_announced(self) -> None:
        while self._announced:
            number, frame = parse_arrival(self._announced.popleft())
            self._numbers.heard(number, time.monotonic())
            self.heard_of_clock(pose_pb2.PoseFrame.FromString(frame.payload))
            if self._match(frame) is Stored.LATE:
                self._forget.append(frame.member)
                name = drop_name(stream_pb2.DROP_REASON_LATE)
                self.figures.drop(frame.camera_id, name)
                DROPS.labels("sync", "ingest", name).inc()

    # ------------------------------------------------------------ the turn
    async def turn(self, token: int, new: Sequence[Frame]) -> list[Stored]:
        """Take in frames that came here and those announced, and let out what became certain: all at once.

        Returns what became of the `new` ones. Raises Fenced, Moved, UNREACHABLE: they are not known to be stored, and
        the state is `stale`.
        """
        outcomes = [self._match(frame) for frame in new]
        self._match_announced()
        groups = self._poll()
        fresh = {
            frame.member: frame
            for frame, outcome in zip(new, outcomes, strict=True)
            if outcome is Stored.STORED
        }
        if not groups and not fresh:
            self.stale = self.stale or self._numbers.lost(time.monotonic())
            return outcomes
        # A tick may use frames up and yet have nothing to show.
        shown = [group for group in groups if group.there]
        members = [frame for group in groups for frame in group.members]
        turn = Turn(
            watermarks_us=(self.committed_us, self.matcher.watermark_us),
            sets_before=self.sets,
            sets=[self._encode(group, number, token) for number, group in enumerate(shown, self.sets + 1)],
            leaving=[frame for frame in members if frame.member not in fresh],
            passing=[frame for frame in members if fresh.pop(frame.member, None)],
            staying=list(fresh.values()),
            forget=self._forget,
        )
        # Until Redis says otherwise nobody knows whether this happened.
        self.stale = True
        asked_s = time.monotonic()
        answer = await self._parts.store.commit(self.session_id, token, turn)
        self.stale = answer.overflow > 0
        if answer.renewed:
            self.renewed_s = asked_s
        if answer.overflow:
            DROPS.labels("sync", "ingest", drop_name(stream_pb2.DROP_REASON_OVERFLOW)).inc(answer.overflow)
        self._numbers.exists(answer.announced, time.monotonic())
        self.stale = self.stale or self._numbers.lost(time.monotonic())
        self._forget = []
        self.sets += len(shown)
        self.committed_us = self.matcher.watermark_us
        self._observe(shown)
        return [
            Stored.DUPLICATE if frame.member in answer.doubles else outcome
            for frame, outcome in zip(new, outcomes, strict=True)
        ]

    def _poll(self) -> list[Group]:
        held_up_s = self._parts.pulse.held_up_s()
        return self.matcher.poll(self._parts.clock.now_us() - round(held_up_s * 1e6))

    def _encode(self, group: Group, number: int, token: int) -> bytes:
        return codec.encode_set(self.session_id, number, token, group, self.views.fuse(group), monotonic_ns())

    def _observe(self, groups: Sequence[Group]) -> None:
        now_us = self._parts.clock.now_us()
        for group in groups:
            full = not any(why is not Missing.IDLE for why in group.missing.values())
            self.metrics.sets[full].inc()
            self.metrics.spread.observe(group.spread_us / 1e6)
            last_us = max(frame.arrival_us for frame in group.there)
            self.metrics.wait.observe(max(0, now_us - last_us) / 1e6)
        self.figures.add(groups)
