"""What a machine may lack: one line says what was skipped, unless everything is required."""

import os

import pytest

REQUIRE_ALL = "KOMI_REQUIRE_ALL"


def require(capability: object, reason: str) -> None:
    """Skip the running test when `capability` is falsy, saying `reason`; fail it under KOMI_REQUIRE_ALL=1."""
    if capability:
        return
    if os.environ.get(REQUIRE_ALL, "") not in {"", "0"}:
        pytest.fail(f"{reason} ({REQUIRE_ALL} is set, so this may not be skipped)", pytrace=False)
    pytest.skip(reason)
