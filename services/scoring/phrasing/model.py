"""Asks a language model behind any OpenAI-compatible address (llama.cpp, Ollama, LM Studio, vLLM, …)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import httpx
import orjson
import structlog

from services.scoring import metrics
from services.scoring.advice.knowledge import Text
from services.scoring.phrasing.checks import Refused, read
from services.scoring.phrasing.record import INSTRUCTIONS, Record

log = structlog.get_logger()

AT_ONCE: Final = 4
"""Questions under way at a time, of all sessions; others wait their share of the time limit."""
LONGEST_BYTES: Final = 256 << 10
"""An answer larger than this is not read further."""
MOST_TOKENS: Final = 300
TRIES: Final = 3
"""After so many failures in a row the model is left in peace …"""
PAUSE_S: Final = 30.0
"""… for this long."""


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where the model is, and what it is called."""

    base_url: str
    """As in http://127.0.0.1:11434/v1."""
    model: str
    api_key: str = field(repr=False)
    """Empty: none is sent."""
    timeout_s: float


class Failed(Exception):
    """The model gave no answer that can be read; the message is a short name of why, for counting."""


class LanguageModel:
    """Words cues. Never raises: what fails is counted and logged, and the template's words stand."""

    def __init__(self, address: ModelAddress) -> None:
        self._address = address
        headers = {"Accept-Encoding": "identity"}
        if address.api_key:
            headers["Authorization"] = f"Bearer {address.api_key}"
        # Exactly this address: no proxy of the surroundings, no redirect to elsewhere.
        self._client = httpx.AsyncClient(
            headers=headers, timeout=address.timeout_s, trust_env=False, follow_redirects=False
        )
        self._places = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._silent_until_s = 0.0

    async def word(self, record: Record) -> Text | None:
        """The cue in other words, within the time limit; None: the template's stand."""
        if time.monotonic() < self._silent_until_s:
            metrics.PHRASINGS.labels("paused").inc()
            return None
        try:
            async with asyncio.timeout(self._address.timeout_s), self._places:
                answer = await self._ask(record)
            text = read(answer, record)
        except Refused as refused:
            self._failures = 0
            metrics.PHRASINGS.labels(f"refused_{refused}").inc()
            log.info("a worded cue was refused", reason=str(refused), code=record.code)
            return None
        except (Failed, TimeoutError, httpx.HTTPError) as error:
            self._failed(_reason(error))
            return None
        self._failures = 0
        metrics.PHRASINGS.labels("used").inc()
        return text

    async def _ask(self, record: Record) -> str:
        body = {
            "model": self._address.model,
            "messages": [
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": record.asks},
            ],
            "max_tokens": MOST_TOKENS,
            "stream": False,
        }
        url = f"{self._address.base_url.rstrip('/')}/chat/completions"
        async with self._client.stream("POST", url, json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise Failed(f"status_{response.status_code // 100}xx")
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > LONGEST_BYTES:
                    raise Failed("too_large")
        try:
            content = orjson.loads(received)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise Failed("unreadable") from error
        if not isinstance(content, str):
            raise Failed("unreadable")
        return content

    def _failed(self, reason: str) -> None:
        metrics.PHRASINGS.labels(reason).inc()
        self._failures += 1
        if self._failures < TRIES:
            return
        self._failures = 0
        self._silent_until_s = time.monotonic() + PAUSE_S
        # The address may hold a password, the error the request: neither is logged.
        log.warning(
            "the language model does not answer; cues keep the templates' words",
            reason=reason,
            pause_s=PAUSE_S,
        )

    async def aclose(self) -> None:
        """Give the connections up."""
        await self._client.aclose()


def _reason(error: Exception) -> str:
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "too_slow"
    return "unreachable"
