"""Finds a finished bundle. Never fetches: that is `python -m services.pose.models`.

Errors:
    ModelError                  a model cannot be used
    └── MissingModelError       it is not in the cache, or no such file
"""

import hashlib
import os
from pathlib import Path

from services.pose.models.catalogue import VARIANTS, Variant


class ModelError(Exception):
    """A model cannot be had or cannot be used."""


class MissingModelError(ModelError):
    """The bundle is not there; the message says which command makes it."""


def cache_folder() -> Path:
    """Where bundles lie: `models` in KOMI_CACHE_DIR, or else in ~/.cache/komi."""
    root = os.environ.get("KOMI_CACHE_DIR")
    return (Path(root) if root else Path.home() / ".cache" / "komi") / "models"


def cached_path(variant: Variant) -> Path:
    """Where the variant's bundle lies once it is built."""
    return cache_folder() / variant.file_name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_name(model: str) -> str:
    """What to call a model: lite, full or heavy, or else the file's name."""
    return model if model in VARIANTS else Path(model).name


def task_path(model: str = "full") -> Path:
    """Path of the bundle for `lite`, `full`, `heavy` or the path of a .task file of one's own.

    Raises MissingModelError where there is none, ModelError where the cached one is damaged.
    """
    variant = VARIANTS.get(model)
    if variant is None:
        path = Path(model).expanduser()
        if not path.is_file():
            known = ", ".join(VARIANTS)
            raise MissingModelError(
                f"no pose model {model!r}: it is neither one of {known} nor a .task file that exists"
            )
        return path
    path = cached_path(variant)
    if not path.is_file():
        raise MissingModelError(
            f"the pose model {model!r} is not at {path}: run `python -m services.pose.models {model}` "
            "(`make setup` does), or point KOMI_CACHE_DIR at the cache that has it"
        )
    if sha256_of(path) != variant.sha256:
        raise ModelError(f"{path} is damaged: delete it and run `python -m services.pose.models {model}`")
    return path
