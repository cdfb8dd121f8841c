"""`make eval-video`: labelled videos through the real services; what cannot be judged does not stop the rest."""

import json
from pathlib import Path

import pytest

from bench.eval_video import figures
from bench.eval_video.counting import Counted, count
from bench.eval_video.labels import BadLabels, Label, read
from tests.scoring.test_service import with_pose


def labelled(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return folder


def test_labels_are_read_as_spreadsheets_write_them(tmp_path: Path) -> None:
    text = "\ufefffile,exercise,repetitions,who\r\na.mp4,squat,3,me\r\nsub/b.mp4, lunge ,12,\r\n"
    assert read(labelled(tmp_path, text)) == [Label("a.mp4", "squat", 3), Label("sub/b.mp4", "lunge", 12)]


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("file,exercise\na.mp4,squat\n", "lacks the columns repetitions"),
        ("file,exercise,repetitions\na.mp4,squat,three\n", "line 2: 'three' is no number"),
        ("file,exercise,repetitions\n../a.mp4,squat,3\n", "no file of this folder"),
        ("file,exercise,repetitions\n/a.mp4,squat,3\n", "no file of this folder"),
        ("file,exercise,repetitions\n", "names no videos"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused_with_what_to_mend(
    tmp_path: Path, text: str, about: str
) -> None:
    with pytest.raises(BadLabels, match=about):
        read(labelled(tmp_path, text))
    with pytest.raises(BadLabels, match="cannot be read"):
        read(tmp_path / "nowhere")


def test_counts_are_told_by_exercise_and_failures_apart(tmp_path: Path) -> None:
    counted = [
        Counted(Label("a", "squat", 4), 4, 90.0, own=True, problem=""),
        Counted(Label("b", "squat", 4), 3, 80.0, own=False, problem=""),
        Counted(Label("c", "lunge", 10), 5, None, own=False, problem=""),
        Counted(Label("d", "lunge", 10), None, None, own=False, problem="no video"),
    ]
    told = figures.document(counted)
    assert told["by_exercise"]["squat"] == {"videos": 2, "failed": 0, "obo": 1.0, "mae": 0.125, "exact": 0.5}
    assert told["by_exercise"]["lunge"] == {"videos": 2, "failed": 1, "obo": 0.0, "mae": 0.5, "exact": 0.0}
    figures.write(told, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == told
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "lunge" in figures.table(told)


async def test_real_videos_are_counted_and_a_broken_one_stops_nothing(
    redis_url: str, shared_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "squats.mp4").symlink_to(shared_data / "tfjs-pose-squats" / "pose_squats.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    wanted = [Label(name, "squat", 2) for name in ("broken.mp4", "gone.mp4", "squats.mp4")]
    said: list[str] = []
    async with with_pose(redis_url) as scoring:
        broken, gone, squats = await count(scoring.stub, tmp_path, wanted, said.append)
    assert broken.counted is gone.counted is None
    assert broken.problem
    assert "gone.mp4" in gone.problem
    assert (squats.counted, squats.own, squats.problem) == (2, True, "")
    assert len(said) == 3
