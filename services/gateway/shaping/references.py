"""References as documents of the REST API."""

from collections.abc import Sequence

from komi.scoring.v1 import scoring_service_pb2 as scoring
from services.gateway.documents import references as documents
from services.gateway.documents.scores import Notice
from services.gateway.shaping import scores
from services.gateway.shaping.encoding import number
from services.mesh.times import from_timestamp

LANDMARK_PAIRS = 66


def reference(known: scoring.Reference) -> documents.Reference:
    """A reference, with curves and ghost where the proto has them."""
    return documents.Reference(
        reference_id=known.reference_id,
        version=known.version,
        name=known.name,
        exercise=known.exercise,
        kind=kind(known.kind),
        created_us=from_timestamp(known.create_time),
        frames=known.frames,
        fps=number(known.fps),
        repetitions=known.repetitions,
        template_first_frame=known.template_first_frame,
        template_frames=known.template_frames,
        view_degrees=number(known.view_degrees, 1),
        remarks=[Notice(**scores.notice(one)) for one in known.notices],
        active=known.active,
        videos=known.videos,
        silhouettes=known.silhouettes,
        strip=known.strip,
        calibration=documents.ReferenceCalibration(
            source=_source(known.calibration.source),
            right=known.calibration.right,
            wrong=known.calibration.wrong,
            people=known.calibration.people,
        ),
        curves=[
            documents.Curve(name=curve.name, degrees=[number(value, 2) for value in curve.degrees])
            for curve in known.curves
        ],
        ghost=_rows(known.ghost),
    )


def _source(value: scoring.CalibrationSource.ValueType) -> str:
    """`defaults` where scoring does not say."""
    return scoring.CalibrationSource.Name(value or scoring.CALIBRATION_SOURCE_DEFAULTS).split("_")[-1].lower()


def kind(value: scoring.ReferenceKind.ValueType) -> str:
    """`hold` for REFERENCE_KIND_HOLD."""
    return scoring.ReferenceKind.Name(value).removeprefix("REFERENCE_KIND_").lower()


def stage(value: scoring.BuildStage.ValueType) -> str:
    """`detecting` for BUILD_STAGE_DETECTING."""
    return scoring.BuildStage.Name(value).removeprefix("BUILD_STAGE_").lower()


def _rows(values: Sequence[float]) -> list[list[float | None]]:
    return [
        [number(value, 4) for value in values[start : start + LANDMARK_PAIRS]]
        for start in range(0, len(values), LANDMARK_PAIRS)
    ]
