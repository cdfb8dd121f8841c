"""A camera of the virtual gym: frames with the camera's own stamps, paced by a clock, and the truth behind them."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from gym.address import Address, View, parse
from gym.camera import Camera
from gym.clock import FrameTime
from gym.render.renderer import Picture, Renderer
from gym.scene import LIGHTS
from gym.script import Script
from gym.stage import Seen, Stage, Truth

_MAINS = 100.0  # flickers a second


class Clock(Protocol):
    """What paces a camera: the wall clock, or a test's own."""

    def time(self) -> float:
        """True time, seconds (Unix time, for cameras of several processes to agree)."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """The machine's."""

    def time(self) -> float:
        """Unix time."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Shot:
    """A frame: RGB (h, w, 3), when it was taken in truth and by the camera's own clock (seconds)."""

    number: int
    image: Picture
    true_time: float
    stamp: float
    missed: int = 0
    """Frames since the one before that came too early to be drawn in time, or that the camera dropped."""


class VirtualCamera:
    """One view of one script. True times are those of the pacing clock; the script begins at `epoch`.

    Not safe for two threads at once; drawing releases the GIL.
    """

    def __init__(
        self, script: Script, view: View, *, stage: Stage | None = None, opened_at: float = 0.0
    ) -> None:
        self.script = script
        self.stage = stage or Stage(script)
        self.view = view
        self.epoch = view.epoch or 0.0
        # Without an epoch the drift begins now: from 1970 it would have grown to hours.
        self.schedule = replace(view.clock, epoch=opened_at if view.epoch is None else view.epoch)
        self._renderer: Renderer | None = None

    @property
    def calibration(self) -> Camera:
        """Intrinsics, extrinsics, distortion."""
        return self.view.camera

    @property
    def size(self) -> tuple[int, int]:
        """Width, height, pixels."""
        return self.view.camera.size

    @property
    def fps(self) -> float:
        """Frames a second, nominal."""
        return self.view.clock.fps

    @property
    def duration(self) -> float:
        """Of one cycle of the script, seconds."""
        return self.stage.timeline.duration

    @property
    def renderer(self) -> Renderer:
        """Made when first needed (a third of a second)."""
        if self._renderer is None:
            self._renderer = Renderer(
                self.view.camera,
                sensor=self.view.sensor,
                light=LIGHTS[self.stage.scene.light],
                seed=self.script.seed,
                plain_room=self.stage.scene.plain,
            )
        return self._renderer

    def frame(self, true_time: float, *, number: int | None = None) -> Picture:
        """RGB (h, w, 3) at a true time; `number` picks the sensor's noise (default: the frame due then)."""
        if number is None:
            number = self.schedule.first_after(true_time)
        gain = 1.0
        if self.view.flicker:
            gain -= self.view.flicker * 0.5 * (1 + math.sin(2 * math.pi * _MAINS * true_time))
        t = true_time - self.epoch
        return self.renderer.draw(self.stage.drawables(t), frame=number, gain=gain)

    def truth(self, true_time: float) -> Truth:
        """What is so at a true time."""
        return self.stage.truth(true_time - self.epoch)

    def seen(self, true_time: float) -> Seen | None:
        """The landmarks in this camera's picture at a true time."""
        return self.stage.seen_by(self.view.camera, true_time - self.epoch)

    def schedule_from(self, true_time: float) -> Iterator[FrameTime]:
        """Every frame from a true time on, dropped ones included, until the script is over."""
        number = self.schedule.first_after(true_time)
        while True:
            frame = self.schedule.frame(number)
            if self.is_over(frame.true_time):
                return
            yield frame
            number += 1

    def is_over(self, true_time: float) -> bool:
        """Whether a script that does not loop has ended."""
        return not self.script.loop and true_time >= self.epoch + self.duration

    def shots(self, clock: Clock | None = None, *, live: bool = True) -> Iterator[Shot]:
        """Frames as they fall due (blocking). A live camera skips what it is too late for; another draws all at once."""
        clock = clock or WallClock()
        number = self.schedule.first_after(clock.time() if live else self.schedule.epoch)
        missed = 0
        while True:
            due = self.schedule.frame(number)
            if self.is_over(due.true_time):
                return
            number += 1
            if due.dropped:
                missed += 1
                continue
            if live:
                wait = due.true_time - clock.time()
                if wait > 0:
                    clock.sleep(wait)
                elif wait < -1 / self.fps:
                    skipped = max(0, self.schedule.first_after(clock.time()) - number)
                    number += skipped
                    missed += 1 + skipped
                    continue
            image = self.frame(due.true_time, number=due.number)
            yield Shot(due.number, image, due.true_time, due.stamp, missed)
            missed = 0


def open_address(address: str, *, now: float | None = None) -> VirtualCamera:
    """Open `gym:…`. `now` is the true time of opening (default: the wall clock).

    Raises:
        AddressError: the address cannot be read; the message says which part.
    """
    read: Address = parse(address)
    camera = VirtualCamera(read.script, read.view, opened_at=time.time() if now is None else now)
    if read.view.loop:
        from gym.loop import LoopedCamera

        return LoopedCamera(camera)
    return camera
