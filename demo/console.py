"""What the terminal shows: each program's lines behind its name, and one line that tells how the session goes."""

import os
import shutil
import sys
from typing import Any, TextIO

import orjson

_COLOURS = {
    "redis": 31, "capture": 36, "pose": 35, "sync": 34, "scoring": 33, "gateway": 32, "demo": 1,
}  # fmt: skip
_LOUD = {"warning": 33, "error": 31, "critical": 31}
_HIDDEN = {"service", "level", "time", "event", "logger", "exception", "replica_id", "stack"}
_QUIET_EVENTS = {"info", "debug"}


class Console:
    """Writes lines to a terminal or a file; on a terminal the newest status stays at the bottom."""

    def __init__(self, out: TextIO = sys.stdout, *, verbose: bool = False) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._coloured = self._terminal and "NO_COLOR" not in os.environ
        self._verbose = verbose
        self._status = ""

    def say(self, name: str, text: str, *, colour: int | None = None) -> None:
        """One line behind `name`."""
        prefix = self._paint(f"{name:>8} │", _COLOURS.get(name, 37))
        self._line(f"{prefix} {self._paint(text, colour) if colour else text}")

    def headline(self, *lines: str) -> None:
        """Lines to be found at a glance, in a frame."""
        width = max(len(line) for line in lines) + 2
        self._line("")
        self._line("  ┌" + "─" * width + "┐")
        for line in lines:
            self._line("  │ " + self._paint(line.ljust(width - 1), 1) + "│")
        self._line("  └" + "─" * width + "┘")
        self._line("")

    def invite(self, address: str, code: str) -> None:
        """A phone's way in: to be scanned, or typed."""
        self._line(
            "  A phone becomes a camera by this code. It warns of the certificate, which was made here: go on."
        )
        # White on black whatever the terminal's colours are: a code the other way round many phones cannot read.
        rows = [f"  \x1b[97;40m{row}\x1b[0m" if self._coloured else f"  {row}" for row in code.splitlines()]
        self._line("\n".join(["", *rows, "", f"  {address}", ""]))

    def status(self, text: str) -> None:
        """How it goes now: replaces the line before on a terminal, adds one elsewhere."""
        if not self._terminal:
            self._line(text)
            return
        self._clear()
        self._status = text[: shutil.get_terminal_size().columns - 1]
        self._out.write(self._paint(self._status, 1))
        self._out.flush()

    def end_status(self) -> None:
        """Leave the status where it is; what follows comes below."""
        if self._status:
            self._out.write("\n")
            self._status = ""

    def log(self, name: str, line: str) -> None:
        """A line that a program wrote. JSON logs become short; what is not needed to follow along is left out."""
        entry = parse(line)
        if entry is None:
            if self._verbose:
                self.say(name, line)
            return
        level = str(entry.get("level", "info"))
        if level in _QUIET_EVENTS and not self._verbose:
            return
        self.say(name, brief(entry), colour=_LOUD.get(level))

    def _line(self, text: str) -> None:
        self._clear()
        self._out.write(text + "\n")
        if self._status:
            self._out.write(self._paint(self._status, 1))
        self._out.flush()

    def _clear(self) -> None:
        if self._status:
            self._out.write("\r\x1b[2K")

    def _paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text


def parse(line: str) -> dict[str, Any] | None:
    """The JSON log entry in a line, None where it is none."""
    if not line.startswith("{"):
        return None
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def brief(entry: dict[str, Any]) -> str:
    """`what happened key=value … · TypeError: why`, without what the reader knows already."""
    details = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _HIDDEN)
    failure = str(entry.get("exception", "")).strip().rpartition("\n")[2]
    parts = [str(entry.get("event", "")), details, f"· {failure}" if failure else ""]
    return " ".join(part for part in parts if part)
