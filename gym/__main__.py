"""`python -m gym OUT SCRIPT`: a script's videos and their truth, written into a folder."""

import argparse
import sys
from pathlib import Path

from gym import movement
from gym.errors import GymError
from gym.recording import cameras_of, cameras_summary, record
from gym.script import FOLDER, find, read


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 2 for a script that cannot be read."""
    shipped = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
    parser = argparse.ArgumentParser(prog="python -m gym", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the videos, truth.json and calibration")
    parser.add_argument("script", help=f"a script's file, or a shipped one ({shipped})")
    parser.epilog = f"Movements: {', '.join(movement.names())}. docs/gym.md says how scripts are written."
    options = parser.parse_args(arguments)
    path = find(options.script)
    if path is None:
        print(f"gym: no script {options.script!r}; give a .yaml file or one of: {shipped}", file=sys.stderr)
        return 2
    try:
        script = read(path)
        for line in cameras_summary(cameras_of(script)):
            print(line, flush=True)
        for written in record(script, options.out, _progress):
            print(written, flush=True)
    except (GymError, OSError) as error:
        print(f"gym: {error}", file=sys.stderr)
        return 2
    return 0


def _progress(name: str, done: int, total: int) -> None:
    if done % 150 == 0:
        print(f"{name}: {done} of about {total} frames", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
