"""The cameras of one session: who is there, who is waited for, and for how long.

Pure: the clock is passed in. All times are microseconds on the server clock.
"""

from collections.abc import Iterable

from services.sync.frames import Frame
from services.sync.groups import MatchRules
from services.sync.track import CameraTrack

UNKNOWN_PERIOD_US = 33_333


class Cameras:
    """Cameras that send, by name, and those that the session names though they may not."""

    def __init__(self, rules: MatchRules, named: Iterable[str] = ()) -> None:
        self.rules = rules
        self.named = tuple(named)
        """Cameras the session names; others are listed for as long as they send."""
        self.tracks: dict[str, CameraTrack] = {}
        self._surveyed: tuple[int, int] | None = None
        """The fastest camera's period and the quickest one's usual delay; None: a camera said something since."""
        self._expected: dict[str, int] = {}

    @property
    def names(self) -> set[str]:
        """All that a set either has or lacks."""
        return {*self.named, *self.tracks}

    # ------------------------------------------------------------ in
    def adopt(self, tracks: dict[str, CameraTrack]) -> None:
        """Go on with what is known of the cameras elsewhere."""
        self.tracks = tracks
        self._surveyed = None

    def add(self, frame: Frame, *, measured: bool) -> None:
        """Follow a frame's camera. `measured` False: when the frame arrived is not known, so neither is its delay."""
        track = self.tracks.get(frame.camera_id)
        if track is None:
            if not self.tracks:
                self.expect(self.named, frame.arrival_us + self.rules.idle_us)
            track = self.tracks[frame.camera_id] = CameraTrack(frame.camera_id)
        elif not self.is_active(track, frame.arrival_us):
            track.rejoin(frame)
        if measured or not track.knows(frame):
            track.add(frame, measured=measured)
            self._surveyed = None

    def missed(self, frame: Frame) -> None:
        """A frame was refused as late."""
        track = self.tracks.get(frame.camera_id)
        if track is not None:
            track.last_arrival_us = max(track.last_arrival_us, frame.arrival_us)
            track.missed(frame.epoch, frame.sequence, frame.arrival_us - frame.time_us)
            self._surveyed = None

    def expect(self, names: Iterable[str], until_us: int) -> None:
        """Wait for cameras that are known to be there though nothing of them was seen yet, until `until_us` at most."""
        self._expected |= dict.fromkeys(names, until_us)

    def forget(self, now_us: int, waiting: Iterable[Frame]) -> None:
        """No longer list cameras that were silent for long, unless the session names them or a frame of them waits."""
        gone = [
            name
            for name, track in self.tracks.items()
            if now_us - track.last_arrival_us > self.rules.forget_us and name not in self.named
        ]
        kept = {frame.camera_id for frame in waiting} if gone else set()
        for name in gone:
            if name not in kept:
                del self.tracks[name]
        if gone:
            self._surveyed = None

    # ------------------------------------------------------------ all together
    @property
    def period_us(self) -> int:
        """Of the fastest camera."""
        return self._survey()[0]

    @property
    def fastest_us(self) -> int:
        """The usual delay of the quickest camera."""
        return self._survey()[1]

    def _survey(self) -> tuple[int, int]:
        """Asked several times a frame, looked up once for all frames that came together."""
        if self._surveyed is None:
            tracks = self.tracks.values()
            self._surveyed = (
                min([t.period_us for t in tracks if t.period_us], default=UNKNOWN_PERIOD_US),
                min([t.delays.median_us for t in tracks], default=0),
            )
        return self._surveyed

    # ------------------------------------------------------------ who is there
    def expecting_us(self, now_us: int) -> int:
        """Until when some expected camera is waited for; 0: none is."""
        if self._expected:
            self._expected = {
                name: until_us
                for name, until_us in self._expected.items()
                if until_us > now_us and name not in self.tracks
            }
        return max(self._expected.values(), default=0)

    def active(self, now_us: int) -> list[CameraTrack]:
        return [track for track in self.tracks.values() if self.is_active(track, now_us)]

    def is_active(self, track: CameraTrack, now_us: int) -> bool:
        silent_us = now_us - track.last_arrival_us
        return silent_us <= self.rules.idle_us or silent_us <= self.idle_us(track)

    def is_idle(self, name: str, now_us: int) -> bool:
        """Whether nothing came from the camera for longer than the idle time."""
        track = self.tracks.get(name)
        return track is None or not self.is_active(track, now_us)

    # ------------------------------------------------------------ how long
    def idle_us(self, track: CameraTrack) -> int:
        return max(self.rules.idle_us, round(2.2 * track.period_us))

    def patience_us(self, track: CameraTrack) -> int:
        """How old a frame of this camera must be before it is not waited for any longer."""
        fastest_us = self.fastest_us
        least_us = self.rules.lateness_min_us or round(1.5 * (track.period_us or UNKNOWN_PERIOD_US))
        most_us = max(least_us, self.rules.lateness_max_us)
        return fastest_us + min(most_us, max(least_us, track.delays.lateness_us - fastest_us))

    @property
    def lateness_us(self) -> int:
        """Longest time that any camera is waited for at present, after the fastest one's usual delay."""
        return max((self.patience_us(track) - self.fastest_us for track in self.tracks.values()), default=0)
