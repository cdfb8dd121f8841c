"""Cameras of the virtual gym. Imported only when one is asked for: the gym brings a compiler."""

import time
from functools import lru_cache, partial

import cv2

import gym
from services.capture.errors import SourceLost
from services.capture.sizing import Image
from services.capture.sources.source import Grabbed
from services.mesh.stages import unix_minus_monotonic_ns

LEAD_S = 2.0


@lru_cache(maxsize=1)
def _monotonic_minus_unix_ns() -> int:
    # One value for all virtual cameras of the process: frames of one instant in the gym get one capture time.
    return -unix_minus_monotonic_ns()


@lru_cache(maxsize=1)
def _first_instant() -> float:
    """When scripts begin that are played once and do not say when: together. Unix time."""
    return time.time() + LEAD_S


class VirtualSource:
    """One view of the gym: given ahead of its time, and drawn only if it is taken."""

    paced = True

    def __init__(self, address: str, *, once: bool) -> None:
        """Open it. `once`: stop at the end of the script, where the address says nothing. Raises SourceLost."""
        try:
            self._camera = gym.open_address(_played_once(address) if once else address)
        except gym.GymError as error:
            raise SourceLost(f"{address}: {error}") from error
        self.own_clock = partial(_read, self._camera.schedule)
        self._schedule = self._camera.schedule_from(time.time())
        self._frame: gym.FrameTime | None = None

    def grab(self) -> Grabbed | None:
        """The next frame of the schedule that the camera does not drop. None: the script is over."""
        for frame in self._schedule:
            if not frame.dropped:
                self._frame = frame
                due_ns = round(frame.true_time * 1e9) + _monotonic_minus_unix_ns()
                return Grabbed(
                    frame.number, due_ns, due_ns, round(frame.stamp * 1e9) + _monotonic_minus_unix_ns()
                )
        return None

    def jpeg(self) -> None:
        """It is drawn, not compressed."""

    def retrieve(self) -> Image:
        """Draw it; ten to twenty milliseconds, without the GIL."""
        assert self._frame is not None
        picture = self._camera.frame(self._frame.true_time, number=self._frame.number)
        return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)  # type: ignore[return-value]  # 8 bits in, 8 bits out

    def close(self) -> None:
        """There is nothing to let go of."""


def _read(clock: gym.CameraClock, instant_ns: int) -> int:
    """What the virtual camera's clock reads at an instant of CLOCK_MONOTONIC, as CLOCK_MONOTONIC would count."""
    unix_s = (instant_ns - _monotonic_minus_unix_ns()) / 1e9
    return instant_ns + round((clock.stamp(unix_s) - unix_s) * 1e9)


def _played_once(address: str) -> str:
    said = address.partition("?")[2]
    if "once=" not in said:
        address += ("&" if "?" in address else "?") + "once=1"
    if "epoch=" not in said:
        address += f"&epoch={_first_instant():.3f}"
    return address
