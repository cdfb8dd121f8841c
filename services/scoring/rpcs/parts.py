"""What the RPCs are answered with."""

from dataclasses import dataclass
from typing import Any

import grpc

from services.mesh.redis import RedisClient
from services.scoring.config import ScoringSettings
from services.scoring.library.builder import ReferenceBuilder
from services.scoring.library.calibrating import Calibrator
from services.scoring.library.store import ReferenceStore
from services.scoring.sessions.watch import Watcher

Context = grpc.aio.ServicerContext[Any, Any]
PAGE = 100
"""Entries of a list unless the caller says how many."""
LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Parts:
    """The parts of the service that do the work."""

    settings: ScoringSettings
    redis: RedisClient
    store: ReferenceStore
    builder: ReferenceBuilder
    calibrator: Calibrator
    watcher: Watcher


class Rpcs:
    """Base of the classes that answer RPCs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts


def page_size(asked: int) -> int:
    """How many entries to return."""
    return min(max(asked, 0) or PAGE, LARGEST_PAGE)
