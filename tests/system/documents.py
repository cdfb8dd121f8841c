"""The commands that the documents promise."""

import re
from pathlib import Path

from tests.support.redis_server import CHECKOUT

_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: str, language: str) -> list[str]:
    """Every fenced block of a language in a document, in order."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    return [body.strip() for kind, body in _BLOCK.findall(text) if kind == language]


def links(document: str) -> list[Path]:
    """Every file of the checkout that a document links to."""
    path = CHECKOUT / document
    found = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    return [path.parent / target for target in found]
