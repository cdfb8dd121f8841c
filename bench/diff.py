"""`python -m bench.diff A.json B.json`: what changed from one run to the other."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

BETTER_UP = ("fps", "ratio", "p50_times_ours", "p50_times_ours_without_inference")
SKIPPED = (
    "plan",
    "machine",
    "versions",
    "count",
    "p99.9",
    ".max",
    "tried",
    "bare.",
    "under_load.frames",
    "frames.",
    "curves.",
    "by_camera",
    "bars.",
    "held.",
)


def figures(found: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """Every figure of a run, by its dotted path."""
    for key, value in found.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from figures(value, name)
        elif isinstance(value, int | float) and not any(part in name for part in SKIPPED):
            yield name, float(value)


def table(before: dict[str, Any], after: dict[str, Any], least: float = 0.05) -> str:
    """Figures that differ by more than `least`, as a share; those of only one run are left out."""
    old, new = dict(figures(before)), dict(figures(after))
    lines = [f"{'':<44}{'A':>10}{'B':>10}   B against A"]
    for name, was in old.items():
        now = new.get(name)
        if now is None or not was:
            continue
        share = now / was - 1
        if abs(share) > least:
            up_is_good = name.endswith(BETTER_UP)
            verdict = "better" if (share > 0) == up_is_good else "worse"
            lines.append(f"{name:<44}{was:>10.2f}{now:>10.2f}   {share:+.0%} {verdict}")
    if len(lines) == 1:
        return f"No figure differs by more than {least:.0%}."
    unlike = [part for part in ("plan", "machine") if _comparable(before, part) != _comparable(after, part)]
    if unlike:
        lines.append(f"Not of the same {' and '.join(unlike)}: only ratios can be compared.")
    return "\n".join(lines)


def _comparable(found: dict[str, Any], part: str) -> dict[str, Any]:
    values: dict[str, Any] = found.get(part, {})
    return {key: value for key, value in values.items() if key not in {"load_average", "time", "phases"}}


def main(arguments: list[str]) -> int:
    """Reads two files and compares them."""
    if len(arguments) != 2:
        print("usage: python -m bench.diff A.json B.json", file=sys.stderr)
        return 2
    try:
        before, after = (orjson.loads(Path(name).read_bytes()) for name in arguments)
    except (OSError, orjson.JSONDecodeError) as error:
        print(f"bench-diff: {error}: give two files that `make bench OUT=…` wrote", file=sys.stderr)
        return 1
    print(table(before, after))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
