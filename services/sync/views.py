"""What the views of one session say together: the person in space, and whether a camera's pictures are late."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from services.sync.calibration import CalibratedCamera, parse, simplify
from services.sync.content import BODY, Lag, Track2D, calibrated_lags, speed_lags
from services.sync.errors import CalibrationUnusable
from services.sync.fusion import Fused, average, triangulate
from services.sync.groups import Group
from services.sync.resample import Decode, Sample

HISTORY_US = 6_000_000
FEWEST_FRAMES = 30


class Views:
    """Fuses each group, and keeps the last seconds of landmarks for the lag check. `decode` reads stored frames."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._text = ""
        self._cameras: dict[str, CalibratedCamera] = {}
        self._history: dict[str, deque[Sample]] = {}
        self.problem: CalibrationUnusable | None = None
        """Why the calibration that was given is not used."""

    def calibrate(self, text: str) -> None:
        """Use the calibration `text` from now on; empty: none. One that cannot be used is kept in `problem`."""
        if text == self._text:
            return
        self._text, self._cameras, self.problem = text, {}, None
        if text:
            try:
                self._cameras = parse(text)
            except CalibrationUnusable as error:
                self.problem = error

    def fuse(self, group: Group) -> Fused | None:
        """The person of a group; None with fewer than two views of somebody."""
        if group.resampled is None:
            frames = group.members if len(group.members) > 1 else ()
            pairs = list(zip(frames, self._decode(frames), strict=True))
        else:
            pairs = list(group.resampled)
        seen = {frame.camera_id: sample for frame, sample in pairs if sample is not None}
        self._remember(seen)
        calibrated = [name for name in seen if simplify(name) in self._cameras]
        if len(calibrated) >= 2:
            cameras = [self._cameras[simplify(name)] for name in calibrated]
            points = [
                camera.normalise(seen[name].values[:, :2], *seen[name].size_px)
                for name, camera in zip(calibrated, cameras, strict=True)
            ]
            return triangulate(cameras, points, [seen[name].confidence[:, 0] for name in calibrated])
        if len(seen) >= 2:
            samples = list(seen.values())
            return average([s.values[:, 5:8] for s in samples], [s.confidence[:, 0] for s in samples])
        return None

    @property
    def newest_us(self) -> int:
        """Time of the newest landmarks that are kept; 0: none are."""
        return max((kept[-1].time_us for kept in self._history.values()), default=0)

    def forget(self) -> None:
        """Forget what was seen: the cameras' times are others from now on."""
        self._history.clear()

    def lags(self) -> Callable[[], dict[str, Lag]]:
        """The lag check over the last seconds, to be called anywhere: it works on a copy."""
        history = {name: list(kept) for name, kept in self._history.items() if len(kept) >= FEWEST_FRAMES}
        cameras = {name: self._cameras[simplify(name)] for name in history if simplify(name) in self._cameras}
        return lambda: find_lags(history, cameras)

    def _remember(self, seen: Mapping[str, Sample]) -> None:
        for name, sample in seen.items():
            kept = self._history.setdefault(name, deque())
            if kept and sample.time_us <= kept[-1].time_us:
                continue
            kept.append(sample)
            while sample.time_us - kept[0].time_us > HISTORY_US:
                kept.popleft()
        newest_us = max((sample.time_us for sample in seen.values()), default=0)
        for name in [n for n, kept in self._history.items() if newest_us - kept[-1].time_us > HISTORY_US]:
            del self._history[name]


def find_lags(
    history: Mapping[str, Sequence[Sample]], cameras: Mapping[str, CalibratedCamera]
) -> dict[str, Lag]:
    """Lag of each camera: against what the others triangulate where that is possible, else by keypoint speed."""
    if len(cameras) >= 3:
        return calibrated_lags(
            {name: _track(history[name], camera) for name, camera in cameras.items()}, cameras
        )
    return speed_lags({name: _track(samples, None) for name, samples in history.items()})


def _track(samples: Sequence[Sample], camera: CalibratedCamera | None) -> Track2D:
    body = list(BODY)
    points = np.array([sample.values for sample in samples])[:, body, :2]
    sizes_px = np.array([sample.size_px for sample in samples])
    for size_px in {sample.size_px for sample in samples}:
        rows = (sizes_px == size_px).all(axis=1)
        if camera is None:
            points[rows] /= max(1, size_px[1])
        else:
            points[rows] = camera.normalise(points[rows].reshape(-1, 2), *size_px).reshape(-1, len(body), 2)
    return Track2D(
        np.array([sample.time_us for sample in samples], np.int64),
        points,
        np.array([sample.confidence for sample in samples])[:, body, 0],
    )
