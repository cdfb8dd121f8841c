"""Both networks of a bundle, loaded together: who is in an image, and what their landmarks are."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.pose.blazepose import decoding, detection
from services.pose.blazepose.decoding import Square, decode
from services.pose.blazepose.network import Network
from services.pose.blazepose.region import Region, around, whole
from services.pose.blazepose.threads import Placed, started
from services.pose.models.archive import DETECTOR, LANDMARKS
from services.pose.models.masks import without_mask
from services.pose.native_log import without_known_noise

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LEAST_PRESENCE = 0.5
"""Below it there is nobody in the region."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The networks' bytes."""

    detector: bytes
    landmarks: bytes
    """Without the mask, where it is built as expected."""
    with_mask: bytes

    @classmethod
    def read(cls, task: Path) -> Self:
        """Those of a .task file. Raises OSError, KeyError or zipfile.BadZipFile."""
        with zipfile.ZipFile(task) as archive:
            detector, with_mask = archive.read(DETECTOR), archive.read(LANDMARKS)
        return cls(detector, without_mask(with_mask) or with_mask, with_mask)


@dataclass(frozen=True, slots=True)
class Seen:
    """One person in an image."""

    square: Square
    mask: Floats | None
    """(256, 256) before the sigmoid, over the region."""


class Networks:
    """One copy of the networks. For one thread at a time, any thread; its calls release the GIL."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Load them, 50 ms. `threads`: how many cores one frame may take.

        Raises ValueError or RuntimeError for what are no such networks.
        """
        self._bundle = bundle
        self._threads = threads
        self._placed = Placed()
        self._detector = self._load(bundle.detector, low=-1)
        self._landmarks = self._load(bundle.landmarks)
        self._with_mask: Network | None = None
        if (shapes := self._detector.shapes) != detection.OUTPUTS:
            raise ValueError(f"its detector gives {shapes} where {detection.OUTPUTS} were expected")
        shapes = self._landmarks.shapes
        if (*shapes[: decoding.MASK], *shapes[decoding.MASK + 1 :]) != decoding.OUTPUTS_BUT_MASK:
            raise ValueError(
                f"its landmark model gives {shapes} where, but for the mask, {decoding.OUTPUTS_BUT_MASK} were expected"
            )

    def load_mask(self) -> None:
        """Load the network that draws masks, if it is not."""
        if self._with_mask is None:
            self._with_mask = self._load(self._bundle.with_mask)

    def find(self, image: Pixels) -> list[Region]:
        """Where persons are in an RGB image (height, width, 3), the surest first."""
        height, width = image.shape[:2]
        frame = whole(width, height)
        self._placed.step_aside()
        boxes, scores = self._detector.run(frame.cut(image, self._detector.size))
        return [
            around(*frame.to_image(np.stack([person.hips, person.rim])))
            for person in detection.persons(boxes, scores[:, 0])
        ]

    def look(self, image: Pixels, region: Region, *, mask: bool) -> Seen | None:
        """The person in a region of an image; None: there is nobody."""
        if mask:
            self.load_mask()
        network = self._with_mask if mask and self._with_mask is not None else self._landmarks
        self._placed.step_aside()
        landmarks, presence, drawn, heatmap, world = network.run(region.cut(image, network.size))
        if presence[0] < LEAST_PRESENCE:
            return None
        return Seen(decode(landmarks, heatmap, world), drawn[:, :, 0].copy() if mask else None)

    def _load(self, model: bytes, low: float = 0.0) -> Network:
        with without_known_noise(), started() as threads:
            network = Network(model, low=low, threads=self._threads)
        self._placed.add(threads)
        return network
