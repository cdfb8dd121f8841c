"""Answers that are sent once: ETag and If-None-Match."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header
from fastapi.responses import Response

JPEG: dict[str, Any] = {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It is the one you have"}}
IfNoneMatch = Annotated[str | None, Header()]


def unless_known(
    if_none_match: str | None,
    content: bytes,
    media_type: str,
    *,
    etag: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`content` with its ETag (made of it where none is given), or 304."""
    if etag is None:
        etag = f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
    told = {"etag": etag, "cache-control": "no-cache", **(headers or {})}
    known = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=told)
    return Response(content, media_type=media_type, headers=told)
