"""Shares of faults found, of good form left alone, of scenes counted exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.gym_faults.judging import Result
from bench.gym_faults.scenes import GOOD

NAMES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "squat": {
        "shallow": ("knee.less", "hip.less"),
        "knees_in": ("knees.in",),
        "forward_lean": ("trunk.more",),
        "heel_rise": ("ankle.more",),
        "asymmetric": ("hips.aside",),
        "too_fast": ("tempo.fast",),
    },
    "lunge": {
        "shallow": ("knee.less", "hip.less"),
        "forward_lean": ("trunk.more",),
        "knee_in": ("knees.in",),
        "short_step": ("step.less",),
    },
    "push_up": {
        "shallow": ("elbow.less",),
        "sagging_hips": ("hips.sag",),
        "piked_hips": ("hips.high",),
        "flared_elbows": ("shoulder.more",),
        "too_fast": ("tempo.fast",),
    },
    "shoulder_press": {
        "partial": ("shoulder.less", "elbow.more"),
        "arched_back": ("trunk.more",),
        "uneven": ("hands.uneven",),
    },
    "biceps_curl": {
        "partial": ("elbow.less",),
        "elbows_forward": ("shoulder.more",),
        "swinging": ("trunk.more",),
    },
    "jumping_jack": {"low_arms": ("shoulder.less",), "narrow_feet": ("hip.less",)},
    "plank": {"sagging_hips": ("hips.sag",), "piked_hips": ("hips.high",), "dropped_head": ("head.more",)},
    "lateral_raise": {
        "partial": ("shoulder.less",),
        "too_high": ("shoulder.more",),
        "bent_elbows": ("elbow.more",),
        "swinging": ("trunk.more",),
    },
    "knee_raise": {"low": ("hip.less",), "leaning_back": ("trunk.less",), "bent_support": ("knee.more",)},
}
"""What each of the gym's faults is called in a cue's code."""
BARS: Final = {"found": 0.90, "left_alone": 0.95, "exact": 1.0}
"""Wanted with two cameras."""


def found(result: Result) -> list[bool]:
    """Of each repetition counted, whether its fault is among those told."""
    wanted = NAMES[result.scene.movement].get(result.scene.fault, ())
    return [any(".".join(code.split(".")[1:3]) in wanted for code in one.faults) for one in result.counted]


def shares(results: Iterable[Result]) -> dict[str, Any]:
    """Of some scenes together; None: there are none."""
    results = list(results)
    faulty = [one for one in results if one.scene.fault != GOOD]
    named = [hit for one in faulty for hit in found(one)]
    first = [
        hit and ".".join(rep.faults[0].split(".")[1:3]) in NAMES[one.scene.movement][one.scene.fault]
        for one in faulty
        for hit, rep in zip(found(one), one.counted, strict=True)
    ]
    good = [not rep.faults for one in results if one.scene.fault == GOOD for rep in one.counted]
    exact = [len(one.counted) == one.due for one in results]
    return {
        "scenes": len(results),
        "repetitions": sum(len(one.counted) for one in results),
        "due": sum(one.due for one in results),
        "found": _share(named),
        "found_first": _share(first),
        "left_alone": _share(good),
        "exact": _share(exact),
    }


def _share(hits: list[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def by_fault(results: Iterable[Result]) -> dict[str, dict[str, Any]]:
    """The same of every movement and form."""
    rows: dict[str, list[Result]] = {}
    for one in results:
        rows.setdefault(f"{one.scene.movement} {one.scene.fault}", []).append(one)
    return {
        name: {
            **shares(some),
            "scores": [round(rep.score, 1) for one in some for rep in one.counted],
            "told": sorted({code for one in some for rep in one.counted for code in rep.faults}),
        }
        for name, some in rows.items()
    }


def missed(results: Iterable[Result]) -> dict[str, str]:
    """Scenes in which something is not as it should be, and what."""
    told = {}
    for one in results:
        good = one.scene.fault == GOOD
        hits = [not rep.faults for rep in one.counted] if good else found(one)
        problems = [
            f"{'blamed' if good else 'not found'} in {hits.count(False)} of {len(hits)}"
            if not all(hits)
            else "",
            f"{len(one.counted)} of {one.due} counted" if len(one.counted) != one.due else "",
        ]
        if any(problems):
            name = f"{one.scene.movement} {one.scene.fault}" + (
                ", the video leads" if one.video_leads else ""
            )
            told[name] = "; ".join(filter(None, problems))
    return told


def table(document: Mapping[str, Any]) -> str:
    """For people to read."""
    lines = [f"{'':24}{'scenes':>8}{'found':>8}{'first':>8}{'alone':>8}{'exact':>8}"]
    for split, cameras in document["splits"].items():
        for number, row in cameras.items():
            figures = "".join(_cell(row[name]) for name in ("found", "found_first", "left_alone", "exact"))
            lines.append(f"{split + ', ' + number + ' cameras':24}{row['scenes']:8}{figures}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return f"{value:8.3f}" if value is not None else f"{'-':>8}"


def picture(document: Mapping[str, Any], path: Path) -> None:
    """Share of each fault found with two cameras, both splits beside each other, as PNG."""
    from matplotlib.figure import Figure

    splits = document["by_fault"]
    names = sorted({name for rows in splits.values() for name in rows})
    figure = Figure(figsize=(8, 0.22 * len(names) + 1.2))
    axes = figure.subplots()
    for number, (split, rows) in enumerate(splits.items()):
        at = [row + 0.4 * number - 0.2 for row in range(len(names))]
        told = [rows.get(name, {}) for name in names]
        values = [
            one.get("left_alone" if name.endswith(GOOD) else "found") or 0.0
            for name, one in zip(names, told, strict=True)
        ]
        axes.barh(at, values, height=0.38, label=split.replace("_", " "))
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    axes.axvline(BARS["found"], color="grey", linewidth=0.8)
    axes.set_xlabel("share of repetitions in which the fault is named (good: nothing is named), two cameras")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
