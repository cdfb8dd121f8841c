"""The description that `/openapi.json` gives: FastAPI's, with our problems, and an example of everything.

A document shows itself by an example in its model. What is part of another one's example needs none of its own, nor what is
made of documents alone. Here stand the examples of what is no document: parameters, tables, streams.
"""

from collections.abc import Iterator
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from services.gateway.documents.base import Document, Problem

Json = dict[str, Any]

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PARAMETERS: Json = {
    "camera_id": "front",
    "session_id": "s-7f3a9c2e",
    "reference_id": "r-2b91",
    "report_id": "p-7c41",
    "build_id": "b-91c0de",
    "compare_id": "c-5d21",
    "exercise_id": "squat",
    "person": "p1",
    "version": 1,
    "limit": 50,
    "cursor": "MTc5NTIxOTIwMA",
    "path": "/ui/camera",
    "if-none-match": '"8f14e45fceea167a"',
}
POSE = {
    "pose": [{"keypoints": [{"id": 0, "x": 100, "y": 200, "confidence": 0.9}]}],
    "timestamp": 1616161616.123,
}
READY = {"ready": True, "waiting_for": {}, "degraded": {}}
CALIBRATION = """[cam01]
size = [640.0, 480.0]
matrix = [[600.0, 0.0, 320.0], [0.0, 600.0, 240.0], [0.0, 0.0, 1.0]]
distortions = [0.0, 0.0, 0.0, 0.0]
rotation = [0.0, 0.9, 0.0]
translation = [0.1, 0.0, 2.5]

[cam02]
…
"""
CONTENT: dict[tuple[str, str], Any] = {
    ("/", "application/json"): {
        "message": "KOMI gateway", "status": "ok", "version": "1.0.0", "ready": True, "waiting_for": {}, "cameras": 2,
    },
    ("/cameras", "application/json"): {"cameras": ["front", "side"], "count": 2},
    ("/latest_image/{camera_id}", "application/json"): {
        "camera_id": "front", "image_data": "/9j/4AAQSkZJRg…", "timestamp": 1616161616.123, "pose_data": POSE,
    },
    ("/healthz", "application/json"): {"status": "ok"},
    ("/readyz", "application/json"): READY,
    ("/metrics", "text/plain"): 'komi_rpc_total{code="OK",method="GetReport",service="scoring"} 12.0\n',
    ("/api/v1/qr.svg", "image/svg+xml"): '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 33 33">…</svg>',
    ("/api/v1/sessions/{session_id}/calibration", "text/plain"): CALIBRATION,
    ("/api/v1/sessions/{session_id}/calibration", "application/toml"): CALIBRATION,
    ("/api/v1/reports/{report_id}/timeline.csv", "text/csv"): "offset_s,score,state\r\n1.0,82.0,tracking\r\n",
    ("/api/v1/reports/{report_id}/repetitions.csv", "text/csv"): "number,score\r\n1,84.0\r\n",
    ("/api/v1/references/builds/{build_id}/events", "text/event-stream"):
        'event: build\ndata: {"build_id": "b-91c0de", "state": "running", "fraction": 0.31}\n\n',
    ("/api/v1/compare/{compare_id}/events", "text/event-stream"):
        'event: compare\ndata: {"compare_id": "c-5d21", "state": "running", "fraction": 0.5}\n\n',
}  # fmt: skip


def complete(schema: Json) -> Json:
    """`schema`, as FastAPI made it, made whole in place."""
    schemas: Json = schema["components"]["schemas"]
    # FastAPI describes its own answer to what a validation refuses; ours is a problem like any other.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.setdefault("Problem", Problem.model_json_schema())
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _complete_operation(path, operation)
    for model in _documents(Document):
        extra: Any = model.model_config.get("json_schema_extra")
        if "examples" in schemas.get(model.__name__, {}):
            # FastAPI takes every null out of them.
            schemas[model.__name__]["examples"] = deepcopy(extra["examples"])
    for described in list(schemas.values()):
        for shown in described.get("examples", ()):
            _hand_down(shown, described, schemas)
    for described in schemas.values():
        if "examples" not in described and "enum" not in described:
            described["examples"] = [_made_of(described, schemas)]
    return schema


def _documents(base: type[Document]) -> Iterator[type[Document]]:
    for model in base.__subclasses__():
        yield model
        yield from _documents(model)


def _complete_operation(path: str, operation: Json) -> None:
    answers = operation["responses"]
    # Any request may come too often.
    answers.setdefault("429", {"description": HTTPStatus.TOO_MANY_REQUESTS.phrase, "content": PROBLEM})
    if "422" in answers:
        answers["422"] = {"description": "What is wrong with which field", "content": PROBLEM}
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in PARAMETERS:
            parameter.setdefault("example", PARAMETERS[parameter["name"]])
    for described in (operation.get("requestBody", {}), *answers.values()):
        for media, content in described.get("content", {}).items():
            if (path, media) in CONTENT:
                content.setdefault("example", CONTENT[path, media])
            for field, asked in (
                content["schema"].get("properties", {}).items() if "schema" in content else ()
            ):
                if field in PARAMETERS:
                    asked.setdefault("examples", [PARAMETERS[field]])


def _hand_down(shown: Any, described: Json, schemas: Json) -> None:
    """Give documents without an example what `shown`, an example of `described`, says in their place."""
    for option in described.get("anyOf", ()):
        _hand_down(shown, option, schemas)
    if "$ref" in described and shown is not None:
        part = schemas[described["$ref"].rpartition("/")[2]]
        if "enum" not in part and "examples" not in part:
            part["examples"] = [shown]
            _hand_down(shown, part, schemas)
    elif isinstance(shown, dict):
        for name, inner in described.get("properties", {}).items():
            _hand_down(shown.get(name), inner, schemas)
    elif isinstance(shown, list) and shown:
        _hand_down(shown[0], described.get("items", {}), schemas)


def _made_of(described: Json, schemas: Json) -> Any:
    """An example of a document that is made of others: lists of them, and what may be null."""
    if "$ref" in described:
        part = schemas[described["$ref"].rpartition("/")[2]]
        return part["examples"][0] if "examples" in part else part.get("enum", [None])[0]
    if described.get("type") == "array":
        return [_made_of(described["items"], schemas)]
    if described.get("type") == "object":
        return {name: _made_of(inner, schemas) for name, inner in described.get("properties", {}).items()}
    return None
