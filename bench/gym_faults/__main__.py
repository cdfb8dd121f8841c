"""`python -m bench.gym_faults OUT.json`: faults named, good form left alone, repetitions counted, on the virtual gym."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.gym_faults import figures
from bench.gym_faults.judging import CAMERAS, OF_PACE, Result, judged, template_of
from bench.gym_faults.looking import is_kept
from bench.gym_faults.scenes import (
    DIAL,
    GOOD,
    SPLITS,
    VIEWS,
    Scene,
    Split,
    answer,
    exercises,
    faults_of,
    performances,
)


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.gym_faults", description=__doc__)
    parser.add_argument("out", type=Path, help="JSON to write; the picture goes beside it as PNG")
    parser.add_argument("--cameras", default="1,2", help="numbers of cameras: 1, 2, 3 (default 1,2)")
    parser.add_argument("--only", default="", help="movements, with commas (default all)")
    parser.add_argument("--people", type=int, default=1, help="people of each split (default 1, at most 2)")
    parser.add_argument("--shows", type=int, help="a person of your own choice who shows, beside --follows")
    parser.add_argument(
        "--follows", default="", help="people who follow them, with commas: in place of the splits"
    )
    parser.add_argument("--source", choices=("blazepose", "truth"), default="blazepose")
    parser.add_argument(
        "--kept", action="store_true", help="only what has been looked at before: minutes, not an hour"
    )
    asked = parser.parse_args()
    if (asked.shows is None) != (not asked.follows):
        parser.error("--shows and --follows belong together: --shows 9 --follows 10,11")
    return asked


def splits(asked: argparse.Namespace) -> tuple[Split, ...]:
    """The groups of people to look at."""
    if asked.shows is None:
        return tuple(replace(split, people=split.people[: asked.people]) for split in SPLITS)
    return (Split("asked_for", asked.shows, tuple(map(int, asked.follows.split(",")))),)


def results(asked: argparse.Namespace, split: Split, name: str, left_out: list[str]) -> list[Result]:
    """All scenes of a movement, by every number of cameras."""
    if split.movements and name not in split.movements:
        return []
    shown = answer(name, split)
    if asked.kept and not is_kept(shown, VIEWS[0], asked.source):
        left_out.append(f"{split.name}: {name}")
        return []
    template = template_of(name, split, asked.source)
    done = []
    for scene in performances(name, split):
        for cameras in map(int, asked.cameras.split(",")):
            if asked.kept and not _all_kept(scene, cameras, asked.source):
                left_out.append(f"{split.name}: {scene.name}, {cameras} cameras")
                continue
            done += [
                judged(scene, cameras, template, asked.source, video_leads=leads) for leads in _modes(scene)
            ]
    return done


def _modes(scene: Scene) -> tuple[bool, ...]:
    """Whether the video leads: in faults of pace; good form must be left alone both ways where there is such a fault."""
    if scene.fault in OF_PACE:
        return (True,)
    return (False, True) if scene.fault == GOOD and OF_PACE & set(faults_of(scene.movement)) else (False,)


def _all_kept(scene: Scene, cameras: int, source: str) -> bool:
    return all(is_kept(scene, view, source) for view in VIEWS[:cameras])


def main() -> None:
    """Measure, print the table, write JSON and PNG."""
    asked = arguments()
    names = asked.only.split(",") if asked.only else exercises()
    document: dict[str, Any] = {
        "dial": DIAL,
        "source": asked.source,
        "bars": figures.BARS,
        "splits": {},
        "by_fault": {},
        "missed": {},
        "left_out": [],
    }
    for split in splits(asked):
        all_results: list[Result] = []
        for name in names:
            all_results += results(asked, split, name, document["left_out"])
            print(f"{split.name}: {name}", flush=True)
        document["splits"][split.name] = {
            str(number): figures.shares(one for one in all_results if one.cameras == number)
            for number in CAMERAS
            if any(one.cameras == number for one in all_results)
        }
        document["by_fault"][split.name] = figures.by_fault(one for one in all_results if one.cameras == 2)
        document["missed"][split.name] = {
            str(number): figures.missed(one for one in all_results if one.cameras == number)
            for number in CAMERAS
        }
    print(figures.table(document))
    if document["left_out"]:
        print(f"{len(document['left_out'])} left out: not looked at yet")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    figures.picture(document, asked.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
