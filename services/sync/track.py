"""One camera as sync sees it: its pace, its order, and up to where it has been heard."""

from collections import deque
from itertools import pairwise

from services.sync.frames import Frame
from services.sync.lateness import Delays

PACE_FRAMES = 32
SHORTEST_SHARE = 0.9
"""A next frame is expected no earlier than this share of the shortest recent interval after the last."""
TRUST_AFTER_GAPS = 10
"""So many gaps in the numbers that nothing ever filled, and the camera is taken to keep its order."""
MOST_AHEAD = 256


class CameraTrack:
    """Follows one camera. Times are microseconds on the server clock.

    `bound_us` is the time before which no frame of this camera is still to come. Where frames keep their order that is
    the last one's time plus the shortest interval. Where they overtake each other it is that of the last number without
    a gap before it. A camera starts under suspicion: gaps are waited for until enough of them proved to be drops.
    """

    def __init__(self, camera_id: str) -> None:
        self.camera_id = camera_id
        self.delays = Delays()
        self.epoch = -1
        self.last_arrival_us = 0
        self.first_us = 0
        """Time of the first frame since it joined."""
        self.newest_us = 0
        self.frames = 0
        self._newest_sequence = -1
        self._times: deque[int] = deque(maxlen=PACE_FRAMES + 1)
        self._intervals: deque[int] = deque(maxlen=PACE_FRAMES)
        self._shortest_us = 0
        self.period_us = 0
        """Median time between its frames as they arrive here; 0 while unknown."""
        self._whole_sequence = -1
        self._whole_us = 0
        self._ahead: dict[int, int] = {}
        self._unfilled = 0
        self.overtaken = False
        """Whether frames of this camera have been seen to overtake each other."""

    @property
    def in_order(self) -> bool:
        """Whether gaps are taken for drops."""
        return self._unfilled >= TRUST_AFTER_GAPS

    @property
    def fps(self) -> float:
        """Frames a second over the newest frames."""
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) * 1e6 / max(1, max(self._times) - min(self._times))

    def knows(self, frame: Frame) -> bool:
        """Whether the frame, or a later one of its epoch, was taken in."""
        return (self.epoch, self._newest_sequence) >= (frame.epoch, frame.sequence)

    def add(self, frame: Frame, *, measured: bool = True) -> None:
        """Take in a frame that was stored. `measured` False: its delay is not known."""
        if self.epoch != frame.epoch:
            self._begin(frame)
        if frame.sequence < self._newest_sequence:
            self._saw_overtaking()
        self._remember_pace(frame)
        self.frames += 1
        self.last_arrival_us = max(self.last_arrival_us, frame.arrival_us)
        self.newest_us = max(self.newest_us, frame.time_us)
        self._newest_sequence = max(self._newest_sequence, frame.sequence)
        if measured:
            self.delays.add(frame.arrival_us - frame.time_us)
        if frame.sequence > self._whole_sequence:
            self._ahead[frame.sequence] = frame.time_us
            self._close_gaps()

    def missed(self, epoch: int, sequence: int, delay_us: int) -> None:
        """A frame came too late to be stored: learn from it."""
        self.delays.add(delay_us)
        if epoch == self.epoch and sequence < self._newest_sequence:
            self._saw_overtaking()

    def rejoin(self, frame: Frame) -> None:
        """It was silent and is back: what its pace was before the silence is no guide."""
        self.first_us = frame.time_us
        self._forget_pace()

    def heard_us(self, *, patient: bool = True) -> int:
        """Its bound by what arrived. `patient` False: no gap is waited for unless overtaking was seen."""
        wait = not self.in_order and (patient or self.overtaken)
        last_us = self._whole_us if wait else self.newest_us
        return last_us + round(SHORTEST_SHARE * self._shortest_us)

    def write_off(self, before_us: int) -> None:
        """No longer wait for frames from before `before_us`: gaps that old are drops."""
        while self._ahead:
            sequence = min(self._ahead)
            if self._ahead[sequence] > before_us:
                break
            self._unfilled += 1
            self._whole_sequence = sequence - 1
            self._close_gaps()

    # ------------------------------------------------------------ within
    def _begin(self, frame: Frame) -> None:
        joined = self.epoch < 0
        self.epoch = frame.epoch
        self._forget_pace()
        self._ahead.clear()
        self._newest_sequence = frame.sequence
        self._whole_sequence, self._whole_us = frame.sequence - 1, frame.time_us
        # A step of its clock may take it back in time; what was heard before says nothing now.
        self.newest_us = frame.time_us
        if joined:
            self.first_us = frame.time_us

    def _saw_overtaking(self) -> None:
        self._unfilled = 0
        self.overtaken = True

    def _remember_pace(self, frame: Frame) -> None:
        if self._times:
            self._intervals.append(frame.time_us - self._times[-1])
        self._times.append(frame.time_us)
        if len(self._times) < 3:
            return
        if self.overtaken:
            intervals = sorted(b - a for a, b in pairwise(sorted(self._times)))
        else:
            intervals = sorted(self._intervals)
        self.period_us = intervals[len(intervals) // 2]
        self._shortest_us = max(0, intervals[0]) if len(intervals) >= 4 else 0

    def _forget_pace(self) -> None:
        self._times.clear()
        self._intervals.clear()

    def _close_gaps(self) -> None:
        while (time_us := self._ahead.pop(self._whole_sequence + 1, None)) is not None:
            self._whole_sequence += 1
            self._whole_us = max(self._whole_us, time_us)
        if len(self._ahead) > MOST_AHEAD:
            self._whole_sequence = min(self._ahead) - 1
            self._close_gaps()
