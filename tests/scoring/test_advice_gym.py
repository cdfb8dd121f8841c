"""The evaluation on the virtual gym's faults, on the truth with noise: nothing is drawn, so it takes seconds."""

import json
from pathlib import Path

import pytest

from bench.gym_faults import figures
from bench.gym_faults.judging import judged, template_of
from bench.gym_faults.scenes import DIAL, GOOD, SPLITS, Scene, exercises
from gym import movement


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOMI_CACHE_DIR", str(tmp_path / "cache"))


def test_every_fault_of_the_gym_has_a_name_to_be_found_by() -> None:
    assert {name: set(faults) for name, faults in figures.NAMES.items()} == {
        name: set(movement.load(name).faults) for name in exercises()
    }


def test_a_shallow_squat_is_named_a_good_one_left_alone_and_both_are_counted(tmp_path: Path) -> None:
    template = template_of("squat", SPLITS[0], "truth")
    results = [judged(Scene("squat", fault, 2, 7, 2), 2, template, "truth") for fault in (GOOD, "shallow")]
    shares = figures.shares(results)
    assert shares["found"] == shares["found_first"] == shares["left_alone"] == shares["exact"] == 1.0
    assert (shares["scenes"], shares["repetitions"], shares["due"]) == (2, 4, 4)
    document = {
        "dial": DIAL,
        "splits": {"designed_on": {"2": shares}},
        "by_fault": {"designed_on": figures.by_fault(results)},
    }
    json.dumps(document, allow_nan=False)
    assert "designed_on, 2 cameras" in figures.table(document)
    figures.picture(document, tmp_path / "faults.png")
    assert (tmp_path / "faults.png").read_bytes().startswith(b"\x89PNG")
