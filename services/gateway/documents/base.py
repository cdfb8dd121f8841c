"""What all documents share: names, times, problems."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from services.mesh.errors import InvalidInput
from services.mesh.sessions import check_name


def _valid_name(name: str) -> str:
    try:
        return check_name(name, "the name")
    except InvalidInput as error:
        raise ValueError(error.message) from error


Name = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_valid_name)]
"""Name of a camera or session."""
Micros = int
"""Microseconds since the epoch, server clock."""


def example(**fields: Any) -> ConfigDict:
    """The configuration of a document that shows itself in OpenAPI with these fields."""
    return ConfigDict(use_attribute_docstrings=True, json_schema_extra={"examples": [fields]})


class Document(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Problem(Document):
    """RFC 9457 problem."""

    model_config = example(
        type="https://komi.invalid/problems/camera-not-found",
        title="Not Found",
        status=404,
        detail="no camera 'front' is connected: see GET /api/v1/cameras",
        reason="CAMERA_NOT_FOUND",
    )

    type: str
    """Identifies the kind of problem; not an address to open."""
    title: str
    """The HTTP status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, to what, and what to do."""
    reason: str
    """Stable name for programs."""
    errors: list[dict[str, Any]] | None = None
    """Fields that a validation refused."""
