"""A pre-rendered loop: one cycle of a script is drawn once, then replayed faster than it could be drawn."""

import threading
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gym.noise import draw
from gym.render.renderer import Picture
from gym.virtual_camera import VirtualCamera

_MOST_FRAMES = 2400


class LoopedCamera(VirtualCamera):
    """Replays its first cycle: the same repetitions come again and again, the sensor's noise does not.

    Kept in memory as the rectangle that differs from the first picture: some 200 kB a frame at 640×480.
    """

    def __init__(self, camera: VirtualCamera) -> None:
        # The sensor's noise is added on replay, so that what is kept has none.
        quiet = replace(camera.view, sensor=replace(camera.view.sensor, noise=0.0))
        super().__init__(camera.script, quiet, stage=camera.stage, opened_at=camera.schedule.epoch)
        self._count = min(_MOST_FRAMES, max(1, round(self.duration * self.fps)))
        self._backdrop = self.renderer.draw([])
        self._kept: dict[int, tuple[int, int, Picture]] = {}
        self._lock = threading.Lock()
        width, height = self.size
        noise = draw("loop", self.script.seed).normal(
            0, camera.view.sensor.noise, (height + 64, width + 64, 1)
        )
        self._noise = np.broadcast_to(np.round(noise), (height + 64, width + 64, 3)).astype(np.int8)

    def prepare(self) -> int:
        """Draw the whole cycle; returns its number of frames. Otherwise it is drawn as it is first shown."""
        for i in range(self._count):
            self._patch(i)
        return self._count

    def frame(self, true_time: float, *, number: int | None = None) -> Picture:
        """RGB (h, w, 3) of the loop's frame nearest to a true time."""
        cycle = (true_time - self.epoch) % self.duration
        top, left, patch = self._patch(int(cycle / self.duration * self._count) % self._count)
        picture = self._backdrop.copy()
        picture[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
        if number is None:
            number = self.schedule.first_after(true_time)
        return _noisy(picture, self._noise, number)

    def _patch(self, i: int) -> tuple[int, int, Picture]:
        with self._lock:
            if i not in self._kept:
                t = self.epoch + (i + 0.5) * self.duration / self._count
                picture = super().frame(t, number=0)
                changed = (picture != self._backdrop).any(axis=2)
                rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
                if len(rows) == 0:
                    self._kept[i] = (0, 0, picture[:0, :0].copy())
                else:
                    a, b, c, d = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
                    self._kept[i] = (int(a), int(c), picture[a:b, c:d].copy())
            return self._kept[i]


def _noisy(picture: Picture, noise: NDArray[np.int8], number: int) -> Picture:
    import cv2

    y, x = (number * 7919) % 64, (number * 104_729) % 64
    height, width, _ = picture.shape
    return cast(Picture, cv2.add(picture, noise[y : y + height, x : x + width], dtype=cv2.CV_8U))
