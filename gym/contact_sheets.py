"""`python -m gym.contact_sheets FOLDER`: every movement × fault × view as pictures to look at.

One sheet a movement: a row for good form and each fault at dial 1, three instants from each view.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gym import movement
from gym.address import parse
from gym.virtual_camera import VirtualCamera

VIEWS = ("front", "45", "side")


def sheet(
    name: str, *, views: Sequence[str] = VIEWS, person: int = 1, height: int = 180
) -> NDArray[np.uint8]:
    """The contact sheet of one movement, RGB."""
    rows = []
    width = height * 4 // 3
    for number, fault in enumerate(["good", *movement.load(name).faults]):
        form = "" if fault == "good" else f"&form={fault}:1"
        cells = []
        for view in views:
            address = f"gym:{name}?view={view}&person={person + number}&reps=2&size={width}x{height}&look=0.95{form}"
            camera = VirtualCamera(parse(address).script, parse(address).view)
            cells += [_cell(camera, t, f"{fault} {view}") for t in instants(camera)]
        rows.append(np.hstack(cells))
    return np.vstack(rows)


def instants(camera: VirtualCamera) -> tuple[float, float, float]:
    """Before, halfway into and at the far end of the first repetition."""
    first = camera.stage.timeline.repetitions()[0]
    return first.start, (first.start + first.lowest) / 2, (first.lowest + first.rise) / 2


def _cell(camera: VirtualCamera, t: float, title: str) -> NDArray[np.uint8]:
    picture = camera.frame(camera.epoch + t)
    cut = picture.shape[1] // 6
    middle = np.ascontiguousarray(picture[:, cut:-cut])
    cv2.putText(middle, title, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (20, 20, 20), 1, cv2.LINE_AA)
    return middle


def main() -> int:
    """Write the sheets."""
    parser = argparse.ArgumentParser(prog="python -m gym.contact_sheets", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("movements", nargs="*", default=list(movement.names()))
    parser.add_argument("--height", type=int, default=180, help="of one picture, pixels")
    parser.add_argument("--person", type=int, default=1)
    parser.add_argument("--format", default="jpg", choices=("jpg", "png"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.movements:
        path = options.folder / f"{name}.{options.format}"
        picture = sheet(name, height=options.height, person=options.person)
        cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1]))
        print(path, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
