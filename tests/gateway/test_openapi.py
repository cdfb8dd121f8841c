"""What the OpenAPI promises holds for any request that fits it, and no request whatever makes a server error."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.pose.config import PoseSettings
from tests.gateway.conftest import open_mesh

EXAMPLES = 15


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def address(redis_url: str) -> Iterator[str]:
    """A mesh on an event loop of its own: schemathesis calls from outside, and waits."""
    told: list[str] = []
    loops: list[asyncio.AbstractEventLoop] = []
    started, stop = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            loops.append(asyncio.get_running_loop())
            pose = PoseSettings(redis_url=redis_url, port=0, metrics_port=0, inference="none", drain_s=0.5)
            door = await open_mesh(stack, redis_url, pose)
            told.append(f"http://{door.server.address}")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert started.wait(60)
        yield told[0]
    finally:
        for loop in loops:
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)


@contextmanager
def caller() -> Iterator[requests.Session]:
    """A session for schemathesis' calls. Streams it breaks off leave sockets in cycles of urllib3's: they are
    collected here, lest a later test be blamed for them.
    """
    gc.collect()
    try:
        with requests.Session() as session:
            yield session
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


# The mesh's own thread draws random pauses meanwhile, which hypothesis takes for a strategy's doing.
@pytest.mark.filterwarnings(
    "ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning"
)
@pytest.mark.timeout(300)
def test_every_operation_keeps_its_promise_for_any_request(address: str) -> None:
    with caller() as session:
        _hold_to_its_promises(address, session)


def _hold_to_its_promises(address: str, session: requests.Session) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    seen, broken = set(), []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def holds(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(checks=CHECKS, timeout=20, session=session)

            try:
                holds()
            except Unsatisfiable:
                pass  # nothing can be wrong with a request that has no parameters
            except (FailureGroup, ExceptionGroup) as error:
                broken.append(f"{operation.label} {mode.value}: {_told(error)}")
        seen.add(operation.label)
    assert not broken, "\n\n".join(broken)
    assert len(seen) > 20


def _told(error: BaseExceptionGroup[BaseException]) -> str:
    return "; ".join(
        _told(inner) if isinstance(inner, BaseExceptionGroup) else str(inner) for inner in error.exceptions
    )
