"""Documents to bytes. float32 arrays keep their few digits, NaN becomes null."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY

Document = dict[str, Any]


def to_json(document: object) -> bytes:
    """Compact UTF-8 JSON."""
    return orjson.dumps(document, option=_OPTIONS)


def rounded(values: Iterable[float], decimals: int) -> NDArray[np.float32]:
    """`values` as float32, rounded: what lies beyond is noise, and would triple the message."""
    return np.array(values, dtype=np.float32).round(decimals)


def number(value: float, decimals: int = 3) -> float | None:
    """A proto's float for a document: rounded, None for NaN and infinities."""
    return round(value, decimals) if math.isfinite(value) else None


def text_frame(payload: bytes) -> bytes:
    """`payload` (UTF-8) as one unmasked WebSocket text frame, RFC 6455 5.2: the same bytes for every viewer."""
    return _frame(0x81, payload)


def binary_frame(payload: bytes) -> bytes:
    """`payload` as one unmasked WebSocket binary frame."""
    return _frame(0x82, payload)


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2) + payload
    return bytes((first, 127)) + size.to_bytes(8) + payload
