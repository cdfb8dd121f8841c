"""`python -m gym`: videos with their truth."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from gym.__main__ import main

SCRIPT = """
title: Small
fps: 10
size: [160, 120]
cameras:
  front: view=front
  side: view=side&offset=250&drop=0.2
sections:
  - {movement: squat, person: 3, repetitions: 1, form: {shallow: 0.5}, tempo: [1, 0.2, 0.8, 0.5]}
  - {movement: away, seconds: 0.5}
"""


def test_a_script_becomes_videos_truth_and_calibration(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SCRIPT, encoding="utf-8")
    assert main([str(tmp_path / "out"), str(tmp_path / "mine.yaml")]) == 0
    truth = json.loads((tmp_path / "out" / "truth.json").read_text(encoding="utf-8"))
    assert truth["repetitions"][0]["faults"] == {"shallow": 0.5}
    assert truth["duration"] == pytest.approx(3.0)
    for name in ("front", "side"):
        frames = truth["cameras"][name]
        video = cv2.VideoCapture(str(tmp_path / "out" / f"{name}.mp4"))
        count = 0
        while video.read()[0]:
            count += 1
        video.release()
        assert count == len(frames)
    front, side = truth["cameras"]["front"], truth["cameras"]["side"]
    assert len(front) == 30
    assert len(side) < 30
    assert all(f["stamp"] - f["true_time"] == pytest.approx(0.25, abs=1e-5) for f in side)
    assert np.array(front[0]["landmarks"]).shape == (33, 3)
    assert np.array(front[0]["pixels"]).shape == (33, 2)
    assert front[-1]["landmarks"] is None
    assert front[10]["phase"] in {"down", "hold"}
    assert {"Calib.toml", "camera_array.toml"} <= {p.name for p in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sections: [", "mine.yaml"),
        ("- 1", "mapping"),
        ("sections: [{movement: fly, repetitions: 1}]", "fly"),
    ],
)
def test_a_script_that_cannot_be_read_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert main([str(tmp_path / "out"), str(tmp_path / "mine.yaml")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_script_that_is_not_there_names_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "nothing"]) == 2
    assert "session" in capsys.readouterr().err
