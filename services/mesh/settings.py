"""Typed settings: defaults, then environment, then command line; whatever is unknown is refused by name."""

import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from services.mesh.errors import SettingsError
from services.mesh.tokens import LEAST_SECRET, is_loopback

SERVICES = ("capture", "pose", "sync", "scoring", "gateway")
SHARED = ("redis_url", "log_level", "api_token")
# Variables with our prefix that are read outside a service's settings.
ELSEWHERE = ("KOMI_CACHE_DIR", "KOMI_REQUIRE_ALL", "KOMI_SHARED_DATA", "KOMI_CHROMIUM")
ELSEWHERE_PREFIXES = ("KOMI_DEMO_", "KOMI_LLM_", "KOMI_BENCH_", "KOMI_TEST_", "KOMI_GYM_")


def service_config(service: str) -> SettingsConfigDict:
    """Configuration of a service's settings class: `KOMI_POSE_PORT=1`, `--port 1`, docstrings as help."""
    return SettingsConfigDict(
        env_prefix=f"KOMI_{service.upper()}_",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        cli_kebab_case=True,
        cli_prog_name=f"python -m services.{service}",
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )


class _SharedEnvironment(EnvSettingsSource):
    """`KOMI_REDIS_URL` for everyone, where `KOMI_POSE_REDIS_URL` does not say otherwise."""

    def __init__(self, settings_class: type[BaseSettings]) -> None:
        super().__init__(settings_class, env_prefix="KOMI_")

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name in SHARED}


class ServiceSettings(BaseSettings):
    """What every service can be told. A service derives from it with `model_config = service_config("…")`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    service: ClassVar[str]
    uses_redis: ClassVar[bool] = True
    """Whether readiness waits for Redis. Capture runs beside a camera, where there may be none."""
    makes_token: ClassVar[bool] = False
    """Whether a token that is needed and not given is made at the start. Services could not tell it one another."""
    families: ClassVar[tuple[str, ...]] = ()
    """Beginnings of settings that are also read without the service's name, as KOMI_LLM_MODEL: other programs know them so."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """Address of Redis: redis://, rediss:// or unix://. Also KOMI_REDIS_URL for all services."""

    log_level: str = Field(default="info", pattern="^(?i:debug|info|warning|error)$")
    """Least severe messages to log: debug, info, warning or error. Also KOMI_LOG_LEVEL."""

    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback callers need a token: see --access."""

    port: int = Field(default=0, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    drain_s: float = Field(default=2.0, ge=0, le=60)
    """Longest time running calls get to end when the service stops, seconds."""

    access: Literal["auto", "open", "token"] = "auto"
    """Whether callers need a token: auto asks beyond loopback. open is for where only this machine, or a closed network
    of ours, reaches the port."""

    api_token: SecretStr = SecretStr("")
    """The token that opens everything, 16 characters or more: asked of callers, and sent to neighbours. Tokens for
    viewers and cameras are derived from it. Give it as KOMI_API_TOKEN for all services: no list of processes shows it."""

    @property
    def asks_for_token(self) -> bool:
        """Whether callers need a token."""
        return self.access == "token" or (self.access == "auto" and not is_loopback(self.host))

    @field_validator("api_token")
    @classmethod
    def _long_enough(cls, token: SecretStr) -> SecretStr:
        if 0 < len(token.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"a token of fewer than {LEAST_SECRET} characters is easily guessed")
        return token

    @model_validator(mode="after")
    def _has_the_token_it_asks_for(self) -> Self:
        if self.asks_for_token and not self.makes_token and not self.api_token.get_secret_value():
            raise ValueError(
                f"on {self.host} callers need a token: set KOMI_API_TOKEN ({LEAST_SECRET} characters or more, the same "
                "for all services), or --access=open where nobody else reaches the port"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SharedEnvironment(settings_cls)


Settings = TypeVar("Settings", bound=ServiceSettings)


def unknown_variables(settings_class: type[ServiceSettings], environment: Mapping[str, str]) -> list[str]:
    """One sentence for each environment variable that looks like a setting of this service and is none."""
    own = f"KOMI_{settings_class.service.upper()}_"
    known = {own + name.upper() for name in settings_class.model_fields}
    known |= {
        "KOMI_" + name.upper()
        for name in settings_class.model_fields
        if name in SHARED or name.startswith(settings_class.families)
    }
    families = tuple(f"KOMI_{family.upper()}" for family in settings_class.families)
    others = tuple(f"KOMI_{service.upper()}_" for service in SERVICES if service != settings_class.service)
    problems = []
    for name in sorted(environment):
        if not name.startswith("KOMI_") or name in known or name in ELSEWHERE:
            continue
        if name.startswith(others + ELSEWHERE_PREFIXES) and not name.startswith(families):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see --help for the known ones"
        problems.append(f"unknown setting {name}: {hint}")
    return problems


def read(
    settings_class: type[Settings], arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> Settings:
    """Settings from defaults, environment and command line, in rising order of precedence.

    Raises SettingsError naming the setting and what is wrong with it; argparse leaves with status 2 by itself on
    an unknown flag.
    """
    problems = unknown_variables(settings_class, environment)
    if problems:
        raise SettingsError("; ".join(problems))
    try:
        return settings_class(_cli_parse_args=list(arguments))
    except ValidationError as error:
        told = "; ".join(_told(detail["loc"], detail["msg"]) for detail in error.errors(include_url=False))
        raise SettingsError(told) from error


def _told(location: tuple[int | str, ...], message: str) -> str:
    # What a validator of ours raised needs no word of pydantic's; the value, maybe a password, is never shown.
    message = message.removeprefix("Value error, ")
    return f"setting {'.'.join(map(str, location))}: {message}" if location else message


def load(settings_class: type[Settings], arguments: Sequence[str] | None = None) -> Settings:
    """`read` for a program's start: prints one line and leaves with status 2 where a setting is wrong."""
    try:
        return read(settings_class, sys.argv[1:] if arguments is None else arguments)
    except SettingsError as error:
        print(f"{settings_class.service}: {error.message}", file=sys.stderr)
        raise SystemExit(2) from None
