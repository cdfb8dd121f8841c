"""komi.scoring.v1.ScoringService; `rpcs/` answers its calls."""

from komi.scoring.v1 import scoring_service_pb2_grpc
from services.scoring.rpcs.building import BuildingRpcs
from services.scoring.rpcs.comparisons import ComparisonRpcs
from services.scoring.rpcs.exercises import ExerciseRpcs
from services.scoring.rpcs.references import ReferenceRpcs
from services.scoring.rpcs.reports import ReportRpcs
from services.scoring.rpcs.scores import ScoreRpcs


class ScoringServicer(
    BuildingRpcs,
    ReferenceRpcs,
    ComparisonRpcs,
    ScoreRpcs,
    ReportRpcs,
    ExerciseRpcs,
    scoring_service_pb2_grpc.ScoringServiceServicer,
):
    """See the proto for what each method promises."""
