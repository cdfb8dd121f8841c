"""One session's join: frames in, groups out, in order, each as soon as it is certain.

A group is certain when nothing that may still come could change it: either it has every active camera and is_safe_now,
or every active camera's bound lies beyond all frames that could compete for its members. A camera's bound is what was
heard from it (CameraTrack) or, if that takes too long, the present minus what its frames usually take (lateness).

Pure: the clock is passed in. All times are microseconds on the server clock.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from services.sync.frames import Frame
from services.sync.pairing import first_group, is_safe_now
from services.sync.resample import Sample
from services.sync.track import CameraTrack


@dataclass(frozen=True)
class MatchRules:
    """How one session is matched. Spans are microseconds."""

    tolerance_us: int = 0
    """Largest spread of a group. 0: half the period of the fastest camera for two, a little more for several."""
    lateness_min_us: int = 0
    """Least time to wait for a camera after the fastest one's usual delay. 0: 1.5 of its periods."""
    lateness_max_us: int = 250_000
    """Longest time to wait likewise."""
    idle_us: int = 250_000
    """A camera silent for this long, or for 2.2 of its periods if that is longer, is not waited for."""
    forget_us: int = 10_000_000
    """A camera silent for this long is no longer listed, unless the session names it."""
    most_frames: int = 1024
    """Frames held at most."""


class Missing(Enum):
    """Why a camera is not in a group."""

    IDLE = 1
    NO_FRAME = 2
    LATE = 3
    JOINING = 4


@dataclass(frozen=True)
class Group:
    """The frames of one instant."""

    time_us: int
    """Median of the members' times; groups follow each other in strictly rising time."""
    members: tuple[Frame, ...]
    missing: dict[str, Missing]
    watermark_us: int
    """Everything at or before this is final."""
    approximate: bool
    """The spread exceeds half a frame."""
    resampled: tuple[tuple[Frame, Sample | None], ...] | None = None
    """On a tick: for each camera there the frame that stands for it, and its landmarks at `time_us` if somebody was
    found; `members` are then the frames that were used up. None: the members are the group."""

    @property
    def spread_us(self) -> int:
        return 0 if self.resampled is not None else self.members[-1].time_us - self.members[0].time_us

    @property
    def there(self) -> tuple[Frame, ...]:
        """The frames that stand for the cameras in the group."""
        return self.members if self.resampled is None else tuple(frame for frame, _ in self.resampled)


UNKNOWN_PERIOD_US = 33_333
PAIR = 0.5
"""Tolerance for two cameras, as a share of the shortest period: each frame has one partner, however they run."""
SEVERAL = 0.6
"""Tolerance for more: real rigs said to be in step spread a little further (Caliscope's webcams: 19.5 ms of 33)."""
WIDE = 0.85
"""Tolerance for more than two cameras that run freely."""
FULL_SHARE_LOW = 0.5
SPREAD_SHARE_LOW = 0.35
SETTLE_GROUPS = 30


class SessionMatcher:
    """The frames of one session that wait, and what is known of its cameras."""

    def __init__(self, rules: MatchRules, cameras: Iterable[str] = ()) -> None:
        self.rules = rules
        self.cameras = tuple(cameras)
        """Cameras the session names; others are listed for as long as they send."""
        self.tracks: dict[str, CameraTrack] = {}
        self.watermark_us = 0
        self._frames: list[Frame] = []
        self._known: set[str] = set()
        self._last_time_us = 0
        self._expected: dict[str, int] = {}
        self._wide = False
        self._full_share = 1.0
        self._spread_us = 0.0
        self._since_change = 0

    # ------------------------------------------------------------ in
    def expect(self, cameras: Iterable[str], until_us: int) -> None:
        """Wait for cameras that are known to be there though nothing of them was seen yet, until `until_us` at most."""
        self._expected |= dict.fromkeys(cameras, until_us)

    def restore(self, watermark_us: int, frames: Iterable[Frame], now_us: int) -> None:
        """Start from what the store holds: forget the waiting frames, keep what is known of the cameras.

        When these frames arrived is not known: they count as just arrived, and say nothing about delays.
        """
        self.watermark_us = self._last_time_us = watermark_us
        self._frames.clear()
        self._known.clear()
        for frame in sorted(frames):
            self.add(replace(frame, arrival_us=now_us), measured=False)

    def add(self, frame: Frame, *, measured: bool = True) -> bool:
        """Take in a stored frame. False: it is at or below the watermark, or known already.

        `measured` False: its arrival is not known, so neither is its delay.
        """
        if frame.time_us <= self.watermark_us or frame.member in self._known:
            return False
        track = self.tracks.get(frame.camera_id)
        if track is None:
            if not self.tracks:
                self.expect(self.cameras, frame.arrival_us + self.rules.idle_us)
            track = self.tracks[frame.camera_id] = CameraTrack(frame.camera_id)
        elif not self._is_active(track, frame.arrival_us):
            track.rejoin(frame)
        if measured or not track.knows(frame):
            track.add(frame, measured=measured)
        insort(self._frames, frame)
        self._known.add(frame.member)
        return True

    def missed(self, frame: Frame) -> None:
        """A frame was refused as late."""
        track = self.tracks.get(frame.camera_id)
        if track is not None:
            track.last_arrival_us = max(track.last_arrival_us, frame.arrival_us)
            track.missed(frame.epoch, frame.sequence, frame.arrival_us - frame.time_us)

    # ------------------------------------------------------------ out
    def poll(self, now_us: int) -> list[Group]:
        """The groups that became certain, oldest first."""
        groups: list[Group] = []
        while self._frames:
            count = self._certain(now_us)
            if not count:
                break
            groups.append(self._take(count, now_us))
        self._forget(now_us)
        return groups

    def next_wake_us(self, now_us: int) -> int | None:
        """When `poll` may give something though nothing arrived; None: never."""
        if not self._frames:
            return None
        if expecting_us := self._expecting_us(now_us):
            return expecting_us
        horizon_us = self._horizon_us()
        waits = [
            min(horizon_us + self._patience_us(track) + 1, track.last_arrival_us + self._idle_us(track) + 1)
            for track in self._active(now_us)
            if track.heard_us() <= horizon_us
        ]
        return max(waits, default=now_us)

    @property
    def waiting(self) -> int:
        """Frames held."""
        return len(self._frames)

    @property
    def tolerance_us(self) -> int:
        """Largest spread of a group at present."""
        if self.rules.tolerance_us:
            return self.rules.tolerance_us
        share = WIDE if self._wide else SEVERAL if len(self.tracks) > 2 else PAIR
        return int(share * self._period_us())

    @property
    def lateness_us(self) -> int:
        """Longest time that any camera is waited for at present, after the fastest one's usual delay."""
        fastest_us = self._fastest_us()
        return max((self._patience_us(track) - fastest_us for track in self.tracks.values()), default=0)

    def is_idle(self, camera_id: str, now_us: int) -> bool:
        """Whether nothing came from the camera for longer than the idle time."""
        track = self.tracks.get(camera_id)
        return track is None or not self._is_active(track, now_us)

    # ------------------------------------------------------------ certainty
    def _certain(self, now_us: int) -> int:
        """Length of the first group if it is certain, else 0."""
        active = self._active(now_us)
        if self._expecting_us(now_us):
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
            forced_us = now_us - self._patience_us(track)
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
        following = {name: track.heard_us() for name, track in self.tracks.items()}
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

    # ------------------------------------------------------------ waiting
    def _expecting_us(self, now_us: int) -> int:
        """Until when some expected camera is waited for; 0: none is."""
        if self._expected:
            self._expected = {
                name: until_us
                for name, until_us in self._expected.items()
                if until_us > now_us and name not in self.tracks
            }
        return max(self._expected.values(), default=0)

    def _active(self, now_us: int) -> list[CameraTrack]:
        return [track for track in self.tracks.values() if self._is_active(track, now_us)]

    def _is_active(self, track: CameraTrack, now_us: int) -> bool:
        return now_us - track.last_arrival_us <= self._idle_us(track)

    def _idle_us(self, track: CameraTrack) -> int:
        return max(self.rules.idle_us, round(2.2 * track.period_us))

    def _fastest_us(self) -> int:
        return min((track.delays.median_us for track in self.tracks.values()), default=0)

    def _patience_us(self, track: CameraTrack) -> int:
        """How old a frame of this camera must be before it is not waited for any longer."""
        fastest_us = self._fastest_us()
        least_us = self.rules.lateness_min_us or round(1.5 * (track.period_us or UNKNOWN_PERIOD_US))
        most_us = max(least_us, self.rules.lateness_max_us)
        return fastest_us + min(most_us, max(least_us, track.delays.lateness_us - fastest_us))

    def _period_us(self) -> int:
        periods = [track.period_us for track in self.tracks.values() if track.period_us]
        return min(periods, default=UNKNOWN_PERIOD_US)

    # ------------------------------------------------------------ emitting
    def _take(self, count: int, now_us: int) -> Group:
        members = tuple(self._frames[:count])
        del self._frames[:count]
        self._known.difference_update(frame.member for frame in members)
        self.watermark_us = max(self.watermark_us, members[-1].time_us)
        times = [frame.time_us for frame in members]
        median_us = (times[(count - 1) // 2] + times[count // 2]) // 2
        # Two frames of one camera with equal stamps make two groups: order stays strict.
        self._last_time_us = max(median_us, self._last_time_us + 1)
        missing = self._missing(members, now_us)
        self._adapt(members, missing)
        return Group(
            time_us=self._last_time_us,
            members=members,
            missing=missing,
            watermark_us=self.watermark_us,
            approximate=times[-1] - times[0] > self._period_us() // 2,
        )

    def _missing(self, members: tuple[Frame, ...], now_us: int) -> dict[str, Missing]:
        there = {frame.camera_id for frame in members}
        return {
            name: self._why(name, members, now_us) for name in sorted({*self.cameras, *self.tracks} - there)
        }

    def _why(self, name: str, members: tuple[Frame, ...], now_us: int) -> Missing:
        track = self.tracks.get(name)
        if track is None or not self._is_active(track, now_us):
            return Missing.IDLE
        if track.first_us > members[-1].time_us:
            return Missing.JOINING
        if track.heard_us() > members[0].time_us + self.tolerance_us:
            return Missing.NO_FRAME
        return Missing.LATE

    def _adapt(self, members: tuple[Frame, ...], missing: dict[str, Missing]) -> None:
        """Widen the tolerance for more than two cameras that run freely, and narrow it when they do not."""
        present = len(members) + sum(why in {Missing.NO_FRAME, Missing.LATE} for why in missing.values())
        if present < 3:
            return
        full = present == len(members)
        self._full_share += 0.05 * (full - self._full_share)
        if full:
            self._spread_us += 0.05 * (members[-1].time_us - members[0].time_us - self._spread_us)
        self._since_change += 1
        if self._since_change < SETTLE_GROUPS:
            return
        if not self._wide and self._full_share < FULL_SHARE_LOW:
            self._wide, self._since_change = True, 0
            self._spread_us = float(self._period_us())
        elif (
            self._wide
            and self._full_share > FULL_SHARE_LOW
            and (self._spread_us < SPREAD_SHARE_LOW * self._period_us())
        ):
            self._wide, self._since_change, self._full_share = False, 0, 1.0

    def _forget(self, now_us: int) -> None:
        gone = [
            name
            for name, track in self.tracks.items()
            if now_us - track.last_arrival_us > self.rules.forget_us and name not in self.cameras
        ]
        waiting = {frame.camera_id for frame in self._frames} if gone else set()
        for name in gone:
            if name not in waiting:
                del self.tracks[name]
