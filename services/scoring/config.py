"""What the scoring service can be told: KOMI_SCORING_<NAME> or --name."""

from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from services.mesh.settings import ServiceSettings, service_config
from services.scoring.phrasing.model import ModelAddress


class ScoringSettings(ServiceSettings):
    """Settings of `python -m services.scoring`."""

    service: ClassVar[str] = "scoring"
    families: ClassVar[tuple[str, ...]] = ("llm_",)
    model_config = service_config("scoring")

    port: int = Field(default=50054, ge=0, le=65535)
    """Port of the service. 0: any free one, which is printed."""

    metrics_port: int = Field(default=9054, ge=0, le=65535)
    """Port of Prometheus metrics (/metrics) over HTTP. 0: any free one."""

    pose: str = "127.0.0.1:50052"
    """Where sample videos are looked at: host:port, or dns:///name:port for all replicas of pose."""

    max_sessions: int = Field(default=32, ge=1, le=512)
    """Most sessions this replica scores at a time; others are left to other replicas."""

    lease_s: float = Field(default=2.0, ge=0.3, le=30)
    """A replica that dies is replaced after this long, seconds."""

    kept_updates: int = Field(default=4096, ge=16)
    """Scores of a session kept for those who resume watching."""

    kept_hours: float = Field(default=24.0, gt=0)
    """A session's scores are forgotten this long after its last one, hours."""

    max_video_mb: int = Field(default=200, ge=1, le=4096)
    """Largest sample video, megabytes."""

    max_video_s: float = Field(default=180.0, gt=0)
    """Longest sample video, seconds."""

    analysis_fps: float = Field(default=30.0, ge=5, le=120)
    """Sample videos with more frames a second than this are looked at frame by second, third, … frame."""

    llm_base_url: str = ""
    """OpenAI-compatible address of a language model that words the cues, as in http://127.0.0.1:11434/v1. Empty: none,
    cues keep the templates' words. Also KOMI_LLM_BASE_URL."""

    llm_model: str = ""
    """What the language model is called there. Also KOMI_LLM_MODEL."""

    llm_api_key: SecretStr = SecretStr("")
    """Key sent to it. Give it as KOMI_LLM_API_KEY: no list of processes shows it. Empty: none is sent."""

    llm_timeout_s: float = Field(default=3.0, gt=0, le=3)
    """Longest time it gets to word a cue, seconds; then the template's words stand. Also KOMI_LLM_TIMEOUT_S."""

    @property
    def language_model(self) -> ModelAddress | None:
        """Where cues are worded; None: nowhere."""
        if not self.llm_base_url:
            return None
        return ModelAddress(
            self.llm_base_url, self.llm_model, self.llm_api_key.get_secret_value(), self.llm_timeout_s
        )

    @field_validator("llm_base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if value and not (parts.scheme in ("http", "https") and parts.hostname and plain):
            raise ValueError(
                "is no address like http://127.0.0.1:11434/v1 (a key goes into KOMI_LLM_API_KEY, not into the address)"
            )
        return value

    @model_validator(mode="after")
    def _knows_the_model(self) -> Self:
        if self.llm_base_url and not self.llm_model:
            raise ValueError("KOMI_LLM_BASE_URL says where a language model is; say which in KOMI_LLM_MODEL")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        *args: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources = super().settings_customise_sources(settings_cls, *args, **named)
        return (*sources, _WithoutTheServicesName(settings_cls))


class _WithoutTheServicesName(EnvSettingsSource):
    """`KOMI_LLM_MODEL`, where `KOMI_SCORING_LLM_MODEL` does not say otherwise: the names other programs use too."""

    def __init__(self, settings_class: type[BaseSettings]) -> None:
        super().__init__(settings_class, env_prefix="KOMI_")

    def __call__(self) -> dict[str, Any]:
        families = ScoringSettings.families
        return {name: value for name, value in super().__call__().items() if name.startswith(families)}
