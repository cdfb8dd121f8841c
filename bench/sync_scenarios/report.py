"""Rows of the report: a measured value against its bar."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One metric of one scenario: the worst of all seeds."""

    id: str
    scenario: str
    metric: str
    value: float
    bar: float | None
    """None: published, not judged."""
    at_least: bool = True
    """The value must reach the bar; else it must not exceed it."""
    baselines: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def print_rows(rows: Sequence[Row]) -> None:
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        bar = f"{sign} {row.bar:g}" if row.bar is not None else ""
        verdict = "" if row.bar is None else "pass" if row.passed else "FAIL"
        others = "  ".join(f"{name} {value:.4g}" for name, value in row.baselines.items())
        print(
            f"{row.id:>3}  {row.metric:<58} {row.value:>10.4g} {bar:>10}  {verdict:<4}  {others}", flush=True
        )


def write_json(rows: Sequence[Row], path: Path) -> None:
    path.write_text(
        json.dumps(
            [
                {
                    **{name: value for name, value in asdict(row).items() if name != "at_least"},
                    "pass": row.passed,
                }
                for row in rows
            ],
            ensure_ascii=False,
            indent=1,
        )
    )
