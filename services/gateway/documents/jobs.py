"""Work on uploaded videos that goes on by itself."""

from abc import abstractmethod
from typing import Literal

from services.gateway.documents.base import Document, Problem

JobState = Literal["running", "done", "failed"]


class Job(Document):
    """How far some work on uploaded videos is."""

    state: JobState = "running"
    stage: str | None = "uploading"
    """uploading, detecting or analysing."""
    fraction: float = 0.0
    """Share of this stage done."""
    frames_done: int = 0
    frames_total: int | None = None
    problem: Problem | None = None
    """Set when it failed."""

    @property
    @abstractmethod
    def job_id(self) -> str:
        """Its name among all jobs."""

    @property
    @abstractmethod
    def has_result(self) -> bool:
        """What was asked for is there."""
