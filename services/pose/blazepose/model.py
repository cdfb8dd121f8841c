"""A bundle's networks, lent to whoever looks at a frame.

Networks keep nothing from frame to frame, so all cameras share a few: one for each worker, and one that runs on several cores,
for frames that are alone. A frame that is alone is done sooner so; frames that come together, as those of cameras in step do,
are sooner done each on a core of its own than cut into pieces that wait for each other.
"""

import contextlib
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.pose.blazepose.networks import Bundle, Networks
from services.pose.blazepose.region import whole
from services.pose.blazepose.tracker import BlazePoseTracker
from services.pose.errors import ModelNotLoaded
from services.pose.tracker import DEFAULT_OPTIONS, TrackerOptions

MOST_CORES = 4
"""For one frame: more do not make it shorter."""
MEMORY = 0.2
"""What one frame counts in how often frames come together."""
SELDOM = 0.3
"""Frames that come together less often than this are taken to be alone."""


class BlazePose:
    """A model by its bundle."""

    def __init__(self, task: Path, *, workers: int = 1, cores: int = 1) -> None:
        """`workers`: how many frames are looked at together. `cores`: how many may work at one that is alone."""
        self._task = task
        self._workers = workers
        self._cores = min(cores, MOST_CORES)
        self._loading = threading.Lock()
        self._lock = threading.Lock()
        self._bundle: Bundle | None = None
        self._narrow: list[Networks] = []
        self._wide: list[Networks] = []
        self._all: list[Networks] = []
        self._lent = 0
        self._taken = 0
        self._together = 0.0

    def prepare(self, options: TrackerOptions = DEFAULT_OPTIONS, /) -> None:
        """See Model."""
        try:
            with self._loading:
                if self._bundle is None:
                    self._load()
            for networks in self._all if options.segmentation else ():
                networks.load_mask()
        except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise ModelNotLoaded(f"{self._task} is no pose model that can be used: {error}") from error

    def tracker(self) -> BlazePoseTracker:
        """See Model."""
        return BlazePoseTracker(self._borrow)

    def _load(self) -> None:
        bundle = Bundle.read(self._task)
        self._narrow = [Networks(bundle) for _ in range(self._workers)]
        if self._cores > 1:
            self._wide = [Networks(bundle, self._cores)]
        self._all = [*self._narrow, *self._wide]
        self._bundle = bundle
        blank = np.zeros((64, 64, 3), np.uint8)
        for networks in self._all:
            # The first run of a network takes longer than those after it.
            networks.find(blank)
            networks.look(blank, whole(64, 64), mask=False)

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[Networks]:
        if self._bundle is None:
            self.prepare()
        with self._lock:
            alone = not self._lent and self._together < SELDOM
            lent_from = self._wide if self._wide and alone else self._narrow
            networks = lent_from.pop() if lent_from else None
            first = not self._lent
            self._lent += 1
            self._taken += 1
            taken = self._taken
        try:
            if networks is None:
                networks = self._one_more()
            yield networks
        except BaseException:
            # Networks that failed once are not used again.
            with self._lock:
                self._lent -= 1
            raise
        with self._lock:
            self._lent -= 1
            lent_from.append(networks)
            if first:
                self._together += MEMORY * ((self._taken > taken) - self._together)

    def _one_more(self) -> Networks:
        assert self._bundle is not None
        networks = Networks(self._bundle)
        self._all.append(networks)
        return networks
