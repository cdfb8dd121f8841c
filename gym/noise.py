"""Seeded variation: the same everywhere for the same seed, never repeating in time."""

import math
import zlib
from functools import lru_cache

import numpy as np

Key = tuple[int | str, ...]


def draw(*key: int | str) -> np.random.Generator:
    """A generator that depends on nothing but the key (words are hashed stably)."""
    return np.random.default_rng([_number(part) for part in key])


def sway(t: float, *key: int | str) -> float:
    """A smooth wander about zero with SD about 1, from 0.1 to 0.45 Hz; a pure function of time in seconds."""
    total = 0.0
    for amplitude, frequency, phase in _waves(key):
        total += amplitude * math.sin(2 * math.pi * frequency * t + phase)
    return total


@lru_cache(maxsize=4096)
def _waves(key: Key) -> tuple[tuple[float, float, float], ...]:
    rng = draw(*key)
    amplitude = math.sqrt(2 / 3)
    return tuple(
        (amplitude, float(rng.uniform(low, low + 0.12)), float(rng.uniform(0, 2 * math.pi)))
        for low in (0.09, 0.21, 0.33)
    )


def _number(part: int | str) -> int:
    # Cycles and frames before the epoch have negative numbers; generators take none.
    return part & 0xFFFF_FFFF_FFFF_FFFF if isinstance(part, int) else zlib.crc32(part.encode())
