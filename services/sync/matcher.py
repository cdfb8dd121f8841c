"""One session's join: frames in, groups out, in order, each as soon as it is certain.

A group is certain when nothing that may still come could change it: either it has every active camera and is_safe_now,
or every active camera's bound lies beyond all frames that could compete for its members. A camera's bound is what was
heard from it (CameraTrack) or, if that takes too long, the present minus what its frames usually take (lateness).

Pure: the clock is passed in. All times are microseconds on the server clock.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from services.sync.cameras import Cameras
from services.sync.frames import Frame
from services.sync.groups import Group, MatchRules, Missing
from services.sync.pairing import first_group, is_safe_now
from services.sync.tolerance import Tolerance
from services.sync.track import CameraTrack


class SessionMatcher:
    """The frames of one session that wait, and what is known of its cameras."""

    def __init__(self, rules: MatchRules, cameras: Iterable[str] = ()) -> None:
        self.rules = rules
        self.cameras = Cameras(rules, cameras)
        self.emitted: dict[str, tuple[int, int]] = {}
        """Epoch and sequence of the frame of each camera that left last: none at or before it may follow."""
        self.watermark_us = 0
        self._frames: list[Frame] = []
        self._known: set[str] = set()
        self._last_time_us = 0
        self._tolerance = Tolerance()

    # ------------------------------------------------------------ in
    def restore(
        self,
        watermark_us: int,
        frames: Iterable[Frame],
        now_us: int,
        emitted: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    ) -> None:
        """Start from what the store holds: forget the waiting frames, keep what is known of the cameras.

        When these frames arrived is not known: they count as just arrived, and say nothing about delays.
        """
        self.watermark_us = self._last_time_us = watermark_us
        self._frames.clear()
        self._known.clear()
        self.emitted = dict(emitted)
        for frame in sorted(frames):
            self.add(replace(frame, arrival_us=now_us), measured=False)

    def add(self, frame: Frame, *, measured: bool = True) -> bool:
        """Take in a frame. False: it is at or below the watermark or what left of its camera, or known already.

        `measured` False: its arrival is not known, so neither is its delay.
        """
        if frame.time_us <= self.watermark_us or frame.member in self._known or self._is_past(frame):
            return False
        self.cameras.add(frame, measured=measured)
        insort(self._frames, frame)
        self._known.add(frame.member)
        return True

    def is_double(self, frame: Frame) -> bool:
        """Of a frame that `add` refused: it waits already, or left last of its camera; else it is late."""
        return frame.member in self._known or self.emitted.get(frame.camera_id) == (
            frame.epoch,
            frame.sequence,
        )

    def missed(self, frame: Frame) -> None:
        """A frame was refused as late."""
        self.cameras.missed(frame)

    def _is_past(self, frame: Frame) -> bool:
        last = self.emitted.get(frame.camera_id)
        return last is not None and (frame.epoch, frame.sequence) <= last

    # ------------------------------------------------------------ out
    def poll(self, now_us: int) -> list[Group]:
        """The groups that became certain, oldest first."""
        groups: list[Group] = []
        while self._frames:
            count = self._certain(now_us)
            if not count:
                break
            groups.append(self._take(count, now_us))
        self.cameras.forget(now_us, self._frames)
        return groups

    def next_wake_us(self, now_us: int) -> int | None:
        """When `poll` may give something though nothing arrived; None: never."""
        if not self._frames:
            return None
        if expecting_us := self.cameras.expecting_us(now_us):
            return expecting_us
        horizon_us = self._horizon_us()
        waits = [
            min(
                horizon_us + self.cameras.patience_us(track) + 1,
                track.last_arrival_us + self.cameras.idle_us(track) + 1,
            )
            for track in self.cameras.active(now_us)
            if track.heard_us() <= horizon_us
        ]
        return max(waits, default=now_us)

    def waits_beside(self, frames: Collection[Frame], now_us: int) -> bool:
        """Whether the next group waits for some active camera in any case, were `frames` added."""
        first_us = min(frame.time_us for frame in (*self._frames[:1], *frames))
        return self._lacks(first_us + 2 * self.tolerance_us, frames, now_us)

    def _lacks(self, horizon_us: int, frames: Collection[Frame], now_us: int) -> bool:
        here = {frame.camera_id for frame in frames}
        return any(
            name not in here and self._bound_us(track) <= horizon_us and self.cameras.is_active(track, now_us)
            for name, track in self.cameras.tracks.items()
        )

    def _bound_us(self, track: CameraTrack) -> int:
        return track.heard_us()

    @property
    def waiting(self) -> int:
        """Frames held."""
        return len(self._frames)

    @property
    def tolerance_us(self) -> int:
        """Largest spread of a group at present."""
        if self.rules.tolerance_us:
            return self.rules.tolerance_us
        return int(self._tolerance.share(len(self.cameras.tracks)) * self.cameras.period_us)

    # ------------------------------------------------------------ certainty
    def _certain(self, now_us: int) -> int:
        """Length of the first group if it is certain, else 0."""
        active = self.cameras.active(now_us)
        if self.cameras.expecting_us(now_us):
            return 0
        names = {track.camera_id for track in active} | {frame.camera_id for frame in self._frames}
        if len(names) == 1 and all(
            track.heard_us(patient=False) >= self._frames[0].time_us for track in active
        ):
            return 1
        if self._full(len(names)):
            return len(names)
        if len(self._frames) > self.rules.most_frames:
            return self._best(self._horizon_us())
        horizon_us = self._horizon_us()
        for track in active:
            forced_us = now_us - self.cameras.patience_us(track)
            track.write_off(forced_us)
            if max(track.heard_us(), forced_us) <= horizon_us:
                return 0
        return self._best(horizon_us)

    def _full(self, cameras: int) -> bool:
        """Whether the first frames are a group of all cameras that is safe now."""
        group = self._frames[:cameras]
        if len(group) < cameras or group[-1].time_us - group[0].time_us > self.tolerance_us:
            return False
        if len({frame.camera_id for frame in group}) < cameras:
            return False
        following = {name: track.heard_us() for name, track in self.cameras.tracks.items()}
        for frame in reversed(self._frames[cameras:]):
            following[frame.camera_id] = min(frame.time_us, following[frame.camera_id])
        # A camera that is heard only up to its own member may still fill the gap before it.
        if any(following[frame.camera_id] < frame.time_us for frame in group):
            return False
        return is_safe_now(group, following)

    def _horizon_us(self) -> int:
        """What lies beyond this cannot compete for the members of the first group."""
        return self._frames[0].time_us + 2 * self.tolerance_us

    def _best(self, horizon_us: int) -> int:
        stop = bisect_left(self._frames, horizon_us + 1, key=lambda frame: frame.time_us)
        return first_group(self._frames[:stop], self.tolerance_us)

    # ------------------------------------------------------------ emitting
    def _take(self, count: int, now_us: int) -> Group:
        members = tuple(self._frames[:count])
        del self._frames[:count]
        self._let_go(members)
        self.watermark_us = max(self.watermark_us, members[-1].time_us)
        times = [frame.time_us for frame in members]
        median_us = (times[(count - 1) // 2] + times[count // 2]) // 2
        # Two frames of one camera with equal stamps make two groups: order stays strict.
        self._last_time_us = max(median_us, self._last_time_us + 1)
        missing = self._missing(members, now_us)
        lacking = sum(why in {Missing.NO_FRAME, Missing.LATE} for why in missing.values())
        self._tolerance.learn(members, lacking, self.cameras.period_us)
        return Group(
            time_us=self._last_time_us,
            members=members,
            missing=missing,
            watermark_us=self.watermark_us,
            approximate=times[-1] - times[0] > self.cameras.period_us // 2,
        )

    def _let_go(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            self._known.discard(frame.member)
            self.emitted[frame.camera_id] = (frame.epoch, frame.sequence)

    def _missing(self, members: tuple[Frame, ...], now_us: int) -> dict[str, Missing]:
        there = {frame.camera_id for frame in members}
        return {name: self._why(name, members, now_us) for name in sorted(self.cameras.names - there)}

    def _why(self, name: str, members: tuple[Frame, ...], now_us: int) -> Missing:
        track = self.cameras.tracks.get(name)
        if track is None or not self.cameras.is_active(track, now_us):
            return Missing.IDLE
        if track.first_us > members[-1].time_us:
            return Missing.JOINING
        if track.heard_us() > members[0].time_us + self.tolerance_us:
            return Missing.NO_FRAME
        return Missing.LATE
