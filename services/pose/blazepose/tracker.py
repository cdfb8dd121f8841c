"""Follows one person through the frames of a camera."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import thread_time_ns

import numpy as np
from numpy.typing import NDArray

from services.pose.blazepose.networks import Networks, Seen
from services.pose.blazepose.region import Region, around
from services.pose.blazepose.silhouette import silhouette
from services.pose.blazepose.smoothing import Smoothing
from services.pose.blazepose.steps import Steps
from services.pose.decode import Image
from services.pose.errors import InferenceFailed
from services.pose.following import follow
from services.pose.tracker import DEFAULT_OPTIONS, LANDMARKS, Found, Person, TrackerOptions

Floats = NDArray[np.float32]
Borrow = Callable[[], AbstractContextManager[Networks]]
"""Networks that nobody else uses meanwhile."""

SAME_PERSON = 0.5
"""Intersection over union of two regions from which they show one person."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One person in the frame, as the network sees them."""

    region: Region
    seen: Seen
    points_px: Floats
    """(35, 3): x, y, z in pixels, z from the middle of the hips."""

    @property
    def next_region(self) -> Region:
        """Where to cut in the next frame: the auxiliary points, which are not smoothed, say it."""
        return around(self.points_px[LANDMARKS, :2], self.points_px[LANDMARKS + 1, :2])


class BlazePoseTracker:
    """Where somebody was seen in the last frame they are looked for in the next; else the whole image is searched."""

    def __init__(self, borrow: Borrow) -> None:
        self._borrow = borrow
        self._steps = Steps()
        self._regions: list[Region] = []
        self._followed: Floats | None = None
        self._smoothing = Smoothing()

    def track(self, image: Image, time_us: int, options: TrackerOptions = DEFAULT_OPTIONS, /) -> Found:
        """See Tracker."""
        height, width = image.shape[:2]
        began_ns = thread_time_ns()
        step_s = self._steps.to(time_us)
        try:
            with self._borrow() as networks:
                candidates = self._candidates(image, networks, options)
        except (RuntimeError, ValueError) as error:
            self._forget()
            raise InferenceFailed(
                f"the model failed on a frame of {width}×{height} pixels: {error}"
            ) from error
        if not candidates:
            self._forget()
            return Found(width, height, persons=0, person=None, model_cpu_ns=thread_time_ns() - began_ns)
        self._regions = [candidate.next_region for candidate in candidates]
        in_pixels = [candidate.points_px[:LANDMARKS, :2] for candidate in candidates]
        place, same = follow(in_pixels, self._followed)
        if not same or options.max_persons > 1:
            # As MediaPipe, which smooths whom it looks for alone: among several it may be another one in the next frame.
            self._smoothing = Smoothing()
        self._followed = in_pixels[place]
        chosen = candidates[place]
        person = self._person(chosen, step_s, width, height)
        drawn = chosen.seen.mask
        mask = None if drawn is None else silhouette(drawn, chosen.region, width, height)
        return Found(width, height, len(candidates), person, mask, thread_time_ns() - began_ns)

    def _candidates(self, image: Image, networks: Networks, options: TrackerOptions) -> list[_Candidate]:
        regions = self._regions[: options.max_persons]
        if len(regions) < options.max_persons:
            # Where somebody may be missing, the whole image is looked at, and what it says now goes before what was.
            regions = _distinct(networks.find(image) + regions)[: options.max_persons]
        candidates = []
        for region in regions:
            seen = networks.look(image, region, mask=options.segmentation)
            if seen is not None:
                points = np.empty_like(seen.square.points)
                points[:, :2] = region.to_image(seen.square.points[:, :2])
                points[:, 2] = seen.square.points[:, 2] * np.float32(region.side)
                candidates.append(_Candidate(region, seen, points))
        if len(candidates) < 2:
            return candidates
        # Two who crossed may end up as one, seen twice.
        kept = _distinct([candidate.next_region for candidate in candidates])
        return [candidate for candidate in candidates if candidate.next_region in kept]

    def _person(self, chosen: _Candidate, step_s: float, width: int, height: int) -> Person:
        square, region = chosen.seen.square, chosen.region
        points, world, visibility = self._smoothing.smooth(
            chosen.points_px[:LANDMARKS],
            _upright(square.world, region.turn),
            square.visibility,
            step_s,
            region.side,
        )
        return Person(
            image_px=np.ascontiguousarray(points[:, :2]),
            image_normalised=np.divide(points, (width, height, width), dtype=np.float32),
            world_m=world,
            visibility=visibility,
            presence=square.presence,
        )

    def _forget(self) -> None:
        self._regions = []
        self._followed = None
        self._smoothing = Smoothing()


def _upright(world: Floats, turn: float) -> Floats:
    """Landmarks of the turned square, (33, 3) metres, as they stand in the image."""
    cos, sin = math.cos(turn), math.sin(turn)
    turned = world.copy()
    turned[:, 0] = cos * world[:, 0] - sin * world[:, 1]
    turned[:, 1] = sin * world[:, 0] + cos * world[:, 1]
    return turned


def _distinct(regions: list[Region]) -> list[Region]:
    """Without those that show somebody whom an earlier one shows."""
    kept: list[Region] = []
    for region in regions:
        if all(region.overlap(other) < SAME_PERSON for other in kept):
            kept.append(region)
    return kept
