"""What plays before which cameras, and which sample video the person is compared with."""

from dataclasses import dataclass
from pathlib import Path

from demo import fetch


@dataclass(frozen=True)
class Scene:
    """One way to show the mesh."""

    title: str
    cameras: str
    """As `python -m services.capture --cameras` takes them."""
    answer: Path
    """Sample video the reference is built from."""
    exercise: str
    fps: float
    """Frames a second and camera."""
    height: int
    """Of the frames sent, pixels."""


def choose(cameras: str) -> Scene:
    """The scene for what was asked: nothing or `recording`, or cameras as NAME:INDEX|ADDRESS|FILE,…

    Raises fetch.FetchError when something it needs cannot be had.
    """
    if cameras in {"", "recording"}:
        return _recording()
    videos = fetch.recording()
    return Scene("your cameras", cameras, answer=videos[0], exercise="", fps=30, height=480)


def _recording() -> Scene:
    videos = fetch.recording()
    return Scene(
        "a man balancing, recorded by four cameras",
        ",".join(f"{video.stem}:{video}" for video in videos),
        answer=videos[0],
        exercise="balance",
        fps=15,
        height=640,
    )
