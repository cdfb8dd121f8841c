"""Everything in OpenAPI has an example, and each is what its own schema asks for."""

from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from services.gateway.app import create_app
from services.gateway.config import GatewaySettings
from services.gateway.gateway import Gateway

Json = dict[str, Any]


@pytest.fixture
async def openapi() -> Json:
    gateway = Gateway(GatewaySettings(_cli_parse_args=[]))
    described = create_app(gateway).openapi()
    await gateway.close()
    return described


def wrong(example: Any, schema: Json, openapi: Json) -> str | None:
    """What is wrong with an example; None: nothing."""
    whole = {**schema, "components": openapi["components"]}
    error = next(jsonschema.Draft202012Validator(whole).iter_errors(example), None)
    return None if error is None else f"{error.json_path}: {error.message}"


def operations(openapi: Json) -> Iterator[tuple[str, Json]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def binary(schema: Json) -> bool:
    return schema.get("format") == "binary"


def test_every_document_shows_itself_by_an_example_that_fits(openapi: Json) -> None:
    broken = {}
    for name, schema in openapi["components"]["schemas"].items():
        if "enum" in schema:
            continue
        examples = schema.get("examples") or [None]
        for example in examples:
            problem = wrong(example, {"$ref": f"#/components/schemas/{name}"}, openapi)
            if problem is not None:
                broken[name] = problem
    assert not broken


def test_every_parameter_has_an_example_that_fits(openapi: Json) -> None:
    broken = {}
    for label, operation in operations(openapi):
        for parameter in operation.get("parameters", ()):
            name = f"{label} {parameter['name']}"
            broken[name] = (
                wrong(parameter["example"], parameter["schema"], openapi)
                if "example" in parameter
                else "none"
            )
    assert not {name: problem for name, problem in broken.items() if problem}
    assert len(broken) > 30


def test_every_body_is_a_document_or_has_an_example_that_fits(openapi: Json) -> None:
    """Files and pictures apart: fields beside them have examples or a choice of values."""
    broken: dict[str, str | None] = {}
    for label, operation in operations(openapi):
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for where, body in bodies.items():
            for media, content in body.get("content", {}).items():
                name, schema = f"{label} {where} {media}", content.get("schema", {})
                if media == "multipart/form-data":
                    for field, asked in schema["properties"].items():
                        shown = binary(asked) or "enum" in asked or asked.get("examples")
                        broken[f"{name} {field}"] = None if shown else "none"
                elif "$ref" not in schema and not binary(schema):
                    broken[name] = (
                        wrong(content["example"], schema, openapi) if "example" in content else "none"
                    )
    assert not {name: problem for name, problem in broken.items() if problem}
    assert len(broken) > 10
