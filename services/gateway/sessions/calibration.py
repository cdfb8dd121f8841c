"""A session's calibration, as far as the gateway looks into it: enough to say at once what is wrong. Pure.

Files of Pose2Sim, Caliscope and aniposelib are TOML with one table a camera: `size`, `matrix` (3×3, pixels),
`distortions` (k1 k2 p1 p2 [k3]), `rotation` (Rodrigues vector, or 3×3) and `translation` (metres).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from services.gateway.errors import BadCalibration
from services.mesh.sessions import SessionConfig

MOST_BYTES = 256 << 10
SIZES = {"size": (2,), "matrix": (9,), "rotation": (3, 9), "translation": (3,), "distortions": (0, 4, 5)}
"""Numbers that each part of a camera may have."""


def calibrated_cameras(config: SessionConfig) -> list[str] | None:
    """Cameras of the session's calibration, by their names in it; None: it has none."""
    if not config.calibration_toml:
        return None
    try:
        return list(camera_names(config.calibration_toml))
    except BadCalibration:
        return []  # it did not come through this gateway


@lru_cache(maxsize=32)
def camera_names(toml: str) -> tuple[str, ...]:
    """Cameras that a calibration of Pose2Sim, Caliscope or aniposelib holds, sorted.

    Raises BadCalibration, naming the camera and what it lacks.
    """
    try:
        tables = tomllib.loads(toml)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadCalibration(f"the calibration is no TOML: {error}") from error
    # Caliscope's newer files put the cameras into one table.
    nested = tables.get("cameras")
    found = {}
    for section, table in (nested if isinstance(nested, dict) else tables).items():
        if isinstance(table, dict) and "matrix" in table and not table.get("ignore", False):
            found[str(table.get("name", section))] = table
    for name, table in found.items():
        _check(name, table)
    if len(found) < 2:
        raise BadCalibration(
            "the calibration has fewer than two cameras: each is a table with size, matrix, distortions, rotation and "
            "translation"
        )
    return tuple(sorted(found))


def _check(name: str, table: Mapping[str, Any]) -> None:
    if table.get("fisheye"):
        raise BadCalibration(
            f"camera {name!r} is calibrated as fisheye, which is not supported: use a pinhole model"
        )
    missing = [part for part in SIZES if part not in table and part != "distortions"]
    if missing:
        raise BadCalibration(f"camera {name!r} of the calibration lacks {', '.join(missing)}")
    for part, allowed in SIZES.items():
        values = _flat(table.get(part, []))
        if values is None or len(values) not in allowed:
            raise BadCalibration(
                f"'{part}' of camera {name!r} must be {' or '.join(str(count) for count in allowed if count)} numbers"
            )


def _flat(value: object) -> list[float] | None:
    """The numbers of nested lists; None: there is something else among them."""
    if isinstance(value, list):
        parts = [_flat(part) for part in value]
        return (
            [number for part in parts if part is not None for number in part] if None not in parts else None
        )
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else None


def unmatched(config: SessionConfig, calibrated: Iterable[str]) -> list[str]:
    """Cameras the session names and its calibration does not; letters and digits count, as for sync."""
    known = {_simplified(name) for name in calibrated}
    return [name for name in config.cameras if _simplified(name) not in known]


def _simplified(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
