"""Settings that travel as texts in a session's `extra`. Pure.

Sync reads `lag_us` and `apply_content_lag`, scoring `target_repetitions`, `allow_mirror` and `silhouettes`; each takes a
name that is not there for its default.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.mesh.sessions import SessionConfig

EXTRA = ("target_repetitions", "allow_mirror", "silhouettes", "lag_us", "apply_content_lag")
"""Settings that live in `extra`."""


def target_repetitions(config: SessionConfig) -> int | None:
    """Repetitions after which the session is done; None: no end."""
    return int(config.extra.get("target_repetitions", "0")) or None


def allow_mirror(config: SessionConfig) -> bool:
    """Whether the person may follow the sample as in a mirror."""
    return config.extra.get("allow_mirror", "1") != "0"


def silhouettes(config: SessionConfig) -> bool | None:
    """Whether cameras send the person's outlines; None: those that see what the reference's outlines show."""
    return {"1": True, "0": False}.get(config.extra.get("silhouettes", ""))


def lag_us(config: SessionConfig) -> dict[str, int]:
    """Microseconds taken off the times of a camera's frames."""
    lags: dict[str, int] = json.loads(config.extra.get("lag_us", "{}"))
    return lags


def apply_content_lag(config: SessionConfig) -> bool:
    """Whether sync corrects by itself what it is sure of."""
    return config.extra.get("apply_content_lag", "0") == "1"


def with_extra(config: SessionConfig, wanted: Mapping[str, Any]) -> SessionConfig:
    """`config` with the settings of `wanted` that live in `extra`; None takes the default."""
    extra = dict(config.extra)
    for name, value in wanted.items():
        if value is None or value == {}:
            extra.pop(name, None)
        elif isinstance(value, bool):
            extra[name] = str(int(value))
        else:
            extra[name] = json.dumps(value, ensure_ascii=False)
    return replace(config, extra=extra)
