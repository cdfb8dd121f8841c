"""A report in the form it is kept in: what is written of it with a batch of scores, and what is read again."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReportChange:
    """What is to be written of one report, together with the scores it comes from."""

    report_id: str
    start_us: int
    """When the performance began, microseconds since the epoch, server clock."""
    begins: bool
    """It is new. Otherwise it is written only if it still exists: somebody may have deleted it."""
    about: bytes
    """komi.scoring.v1.Report with what is said of the reference."""
    state: bytes
    """`Performance.state`, JSON."""
    anew: bool
    """The points written so far count no more."""
    points: list[bytes]
    """`Point.to_bytes`"""
    repetitions: list[bytes]
    """komi.scoring.v1.Repetition"""
    cues: list[bytes]
    """komi.scoring.v1.GivenCue"""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report as it was written; the lists are empty where only its figures were asked for."""

    report_id: str
    session_id: str
    about: bytes
    state: bytes
    points: list[bytes] = field(default_factory=list)
    repetitions: list[bytes] = field(default_factory=list)
    cues: list[bytes] = field(default_factory=list)
