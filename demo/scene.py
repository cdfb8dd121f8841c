"""What plays before which cameras, and which sample video the person is compared with."""

import hashlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo import fetch

GYM = fetch.CHECKOUT / "gym"
ANSWER = Path(__file__).with_name("answer.yaml")
GYM_FPS = 15
"""A virtual camera's rate: what two of them, drawn as they are filmed, leave of a small machine is for the mesh."""
HEAD_START_S = 4.0
"""The person in the gym begins this long after the start: the first squat comes when the reference stands."""


@dataclass(frozen=True)
class Scene:
    """One way to show the mesh."""

    title: str
    cameras: str
    """As `python -m services.capture --cameras` takes them."""
    answer: Path
    """Sample video the reference is built from."""
    name: str
    """What to call the reference."""
    exercise: str
    """What the sample shows. Empty: anything."""


def choose(cameras: str) -> Scene:
    """The scene for what was asked: nothing, `recording`, or cameras as NAME:INDEX|ADDRESS|FILE,…

    Raises fetch.FetchError when something it needs cannot be had.
    """
    if cameras == "recording":
        videos = fetch.recording()
        return Scene(
            "a man balancing, recorded by four cameras",
            ",".join(f"{video.stem}:{video}" for video in videos),
            answer=videos[0],
            name="Balance",
            exercise="",
        )
    title = (
        "your cameras, compared with three squats"
        if cameras
        else "squats in the virtual gym, good ones and bad ones"
    )
    return Scene(title, cameras or gym_cameras(time.time() + HEAD_START_S), gym_answer(), "Squat", "squat")


def gym_cameras(begins: float) -> str:
    """The cameras of the gym's session, in which the person begins at a Unix time."""
    # Read without `import gym`, which takes a second, as it brings numba.
    session = yaml.safe_load((GYM / "scripts" / "session.yaml").read_text(encoding="utf-8"))
    return ",".join(
        f"{name}:gym:session?{settings}&fps={GYM_FPS}&supersample=1&epoch={begins:.0f}"
        for name, settings in session["cameras"].items()
    )


def gym_answer() -> Path:
    """The video in which the gym's trainer shows three squats; drawn once, kept until the gym changes."""
    video = fetch.cache_folder() / "gym" / f"answer-{_fingerprint()}.mp4"
    if not video.is_file():
        print("Drawing the sample video in the virtual gym (some seconds, once)", flush=True)
        video.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="drawing-", dir=video.parent) as folder:
            command = [sys.executable, "-m", "gym", folder, str(ANSWER)]
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=fetch.CHECKOUT)
            if done.returncode:
                raise fetch.FetchError(f"the sample video could not be drawn: {done.stderr.strip()}")
            for outdated in video.parent.glob("answer-*.mp4"):
                outdated.unlink(missing_ok=True)
            (Path(folder) / "front.mp4").replace(video)
    return video


def _fingerprint() -> str:
    """Of all that decides what the gym draws."""
    digest = hashlib.sha256(ANSWER.read_bytes())
    for path in sorted(path for path in GYM.rglob("*") if path.suffix in {".py", ".yaml", ".npz"}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
