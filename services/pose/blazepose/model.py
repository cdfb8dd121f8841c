"""A bundle's networks, lent to whoever looks at a frame.

Networks keep nothing from frame to frame, so all cameras share a few: one for each worker, and one that runs on several cores
for frames that come while no other is looked at (`width.py`).
"""

import contextlib
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.pose.blazepose.networks import Bundle, Networks
from services.pose.blazepose.region import whole
from services.pose.blazepose.tracker import BlazePoseTracker
from services.pose.blazepose.width import Width
from services.pose.errors import ModelNotLoaded
from services.pose.tracker import DEFAULT_OPTIONS, TrackerOptions

MOST_CORES = 4
"""For one frame: more do not make it shorter."""


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
        self._width = Width()

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
            first = not self._lent
            wide = first and bool(self._wide) and self._width.wide()
            lent_from = self._wide if wide else self._narrow
            networks = lent_from.pop() if lent_from else None
            self._lent += 1
            self._taken += 1
            taken = self._taken
        began_s = time.monotonic()
        try:
            if networks is None:
                networks = self._one_more()
            yield networks
        except BaseException:
            # Networks that failed once are not used again.
            with self._lock:
                self._lent -= 1
                if networks is not None:
                    self._all.remove(networks)
            raise
        with self._lock:
            self._lent -= 1
            lent_from.append(networks)
            if first:
                self._width.took(time.monotonic() - began_s, wide=wide, together=self._taken > taken)

    def _one_more(self) -> Networks:
        assert self._bundle is not None
        networks = Networks(self._bundle)
        self._all.append(networks)
        return networks
