"""The join on a fixed tick: every camera's landmarks interpolated to one instant.

A tick is certain when every active camera has a frame at or after it, or is not waited for any longer. So a set costs
about one frame, and its members are of one instant however freely the cameras run.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from services.sync.frames import Frame
from services.sync.groups import Group, MatchRules, Missing
from services.sync.matcher import SessionMatcher
from services.sync.resample import Decode, Sample, interpolate
from services.sync.track import CameraTrack

HISTORY = 4
LONGEST_GAP = 2.2
"""Neighbours may be this many of the camera's periods apart."""
SILENCE_US = 1_000_000
"""After a silence of all cameras longer than this, ticks start anew."""
RETUNE = 0.2
"""The tick changes only if the fastest camera's period does by more than this share."""


class TickMatcher(SessionMatcher):
    """A SessionMatcher whose groups are ticks."""

    def __init__(self, rules: MatchRules, decode: Decode, cameras: Iterable[str] = ()) -> None:
        super().__init__(rules, cameras)
        self._decode = decode
        self._tick_us = 0
        self._next_us = 0
        # The newest frames already used up, by camera, oldest first; landmarks of these and of what waits, by member.
        self._past: dict[str, deque[Frame]] = {}
        self._samples: dict[str, Sample | None] = {}

    def restore(
        self,
        watermark_us: int,
        frames: Iterable[Frame],
        now_us: int,
        emitted: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    ) -> None:
        self._next_us = 0
        frames = tuple(frames)
        # What the store still has was not used up after all: its turn was not committed.
        waiting = {frame.member for frame in frames}
        for name, past in self._past.items():
            self._past[name] = deque(frame for frame in past if frame.member not in waiting)
        super().restore(watermark_us, frames, now_us, emitted)

    def poll(self, now_us: int) -> list[Group]:
        groups: list[Group] = []
        while self._frames and self._tune() and self._frames[-1].time_us >= self._next_us:
            if self.cameras.expecting_us(now_us) or not all(
                self._settled(track, self._next_us, now_us) for track in self.cameras.active(now_us)
            ):
                break
            group = self._at(self._next_us, now_us)
            self._next_us += self._tick_us
            if group is not None:
                groups.append(group)
        self.cameras.forget(now_us, self._frames)
        self._forget_past()
        return groups

    def next_wake_us(self, now_us: int) -> int | None:
        if not self._frames or not self._tick_us:
            return None
        if self._frames[-1].time_us < self._next_us:
            return None
        waits = [
            min(self._deadline_us(track, self._next_us), track.last_arrival_us + self.cameras.idle_us(track))
            + 1
            for track in self.cameras.active(now_us)
            if track.newest_us < self._next_us
        ]
        return max(waits, default=now_us)

    def waits_beside(self, frames: Collection[Frame], now_us: int) -> bool:
        return self._lacks(self._next_us - 1, frames, now_us)

    # ------------------------------------------------------------ within
    def _tune(self) -> bool:
        """Set the tick to the fastest camera's pace. False: not known yet."""
        periods = [track.period_us for track in self.cameras.tracks.values() if track.period_us]
        if not periods:
            return False
        period_us = min(periods)
        if not self._tick_us or abs(period_us - self._tick_us) > RETUNE * self._tick_us:
            self._tick_us = round(1e6 / max(1, round(1e6 / period_us)))
            self._next_us = 0
        if not self._next_us or self._frames[0].time_us - self._next_us > SILENCE_US:
            start_us = max(self.watermark_us + 1, self._frames[0].time_us)
            self._next_us = -(-start_us // self._tick_us) * self._tick_us
        return True

    def _deadline_us(self, track: CameraTrack, tick_us: int) -> int:
        return tick_us + (track.period_us or self._tick_us) + self.cameras.patience_us(track)

    def _settled(self, track: CameraTrack, tick_us: int, now_us: int) -> bool:
        return self._bound_us(track) >= tick_us or now_us > self._deadline_us(track, tick_us)

    def _bound_us(self, track: CameraTrack) -> int:
        return track.newest_us if track.in_order or not track.overtaken else track.heard_us()

    def _at(self, tick_us: int, now_us: int) -> Group | None:
        used = [frame for frame in self._frames if frame.time_us <= tick_us]
        del self._frames[: len(used)]
        self._let_go(used)
        for frame in used:
            past = self._past.setdefault(frame.camera_id, deque())
            past.append(frame)
            if len(past) > HISTORY:
                self._samples.pop(past.popleft().member, None)
        self.watermark_us = self._last_time_us = tick_us
        resampled: list[tuple[Frame, Sample | None]] = []
        missing: dict[str, Missing] = {}
        for name in sorted(self.cameras.names):
            member = self._member(name, tick_us)
            if member is None:
                missing[name] = self._reason(name, tick_us, now_us)
            else:
                resampled.append(member)
        if not resampled and not used:
            return None
        return Group(tick_us, tuple(used), missing, tick_us, approximate=False, resampled=tuple(resampled))

    def _member(self, name: str, tick_us: int) -> tuple[Frame, Sample | None] | None:
        """The camera at the tick: the frame that stands for it, and its landmarks if somebody was found."""
        past = self._past.get(name)
        if not past:
            return None
        before = past[-1]
        if before.time_us == tick_us:
            return before, self._sample(before)
        # Only the next frame: whether the one after it is here yet depends on who came first, and a tick must not.
        after = next((frame for frame in self._frames if frame.camera_id == name), None)
        gap_us = round(LONGEST_GAP * (self.cameras.tracks[name].period_us or self._tick_us))
        if after is None or after.epoch != before.epoch or after.time_us - before.time_us > gap_us:
            return None
        if self._sample(before) is None or self._sample(after) is None:
            return min(before, after, key=lambda frame: abs(frame.time_us - tick_us)), None
        around = [self._sample(frame) for frame in (*past, after) if frame.epoch == before.epoch]
        return after, interpolate([s for s in around if s is not None], tick_us, gap_us)

    def _sample(self, frame: Frame) -> Sample | None:
        if frame.member not in self._samples:
            # What waits as well: it will be asked for, and together costs little more.
            unread = {f.member: f for f in (frame, *self._frames) if f.member not in self._samples}
            self._samples.update(zip(unread, self._decode(list(unread.values())), strict=True))
        return self._samples[frame.member]

    def _forget_past(self) -> None:
        for name in [name for name in self._past if name not in self.cameras.tracks]:
            for frame in self._past.pop(name):
                self._samples.pop(frame.member, None)

    def _reason(self, name: str, tick_us: int, now_us: int) -> Missing:
        track = self.cameras.tracks.get(name)
        if track is None or not self.cameras.is_active(track, now_us):
            return Missing.IDLE
        if track.first_us > tick_us:
            return Missing.JOINING
        return Missing.NO_FRAME if track.newest_us >= tick_us else Missing.LATE
