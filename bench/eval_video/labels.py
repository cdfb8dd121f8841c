"""`labels.csv` of a folder of videos: file,exercise,repetitions."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COLUMNS: Final = ("file", "exercise", "repetitions")


class BadLabels(ValueError):
    """The labels cannot be used; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class Label:
    """One video."""

    file: str
    exercise: str
    repetitions: int


def read(folder: Path) -> list[Label]:
    """The labels of a folder, in their order. Raises BadLabels."""
    path = folder / "labels.csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines, skipinitialspace=True)
            if missing := set(COLUMNS) - set(table.fieldnames or ()):
                raise BadLabels(f"{path} lacks the columns {', '.join(sorted(missing))}: {','.join(COLUMNS)}")
            found = [_label(row, f"{path}, line {table.line_num}") for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadLabels(f"{path} cannot be read: {error}") from error
    if not found:
        raise BadLabels(f"{path} names no videos")
    return found


def _label(row: dict[str, str | None], where: str) -> Label:
    file, exercise, repetitions = ((row[column] or "").strip() for column in COLUMNS)
    if not file or Path(file).is_absolute() or ".." in Path(file).parts:
        raise BadLabels(f"{where}: {file!r} is no file of this folder")
    if not repetitions.isascii() or not repetitions.isdigit():
        raise BadLabels(f"{where}: {repetitions!r} is no number of repetitions")
    return Label(file, exercise, int(repetitions))
