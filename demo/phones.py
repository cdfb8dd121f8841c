"""A way in for phones: a second gateway, over HTTPS and with tokens, that others in this network reach.

Browsers give their camera only to pages that come by HTTPS. Nobody vouches for a certificate made here, so a phone asks
once whether to go on. The first gateway stays as it is: on this machine alone, without tokens.
"""

import os
import secrets
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import segno

from demo.fetch import FetchError, cache_folder
from services.mesh.network import own_address
from services.mesh.tokens import Scope, Tokens

DAYS = 365
"""A certificate is good for; phones take none that lasts much longer."""
MADE_ANEW_S = 300 * 86400
_BLOCKS = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}


@dataclass(frozen=True)
class Phones:
    """Where phones come in."""

    host: str
    """This machine's address in its network."""
    port: int
    certificate: Path
    """PEM, the key in it."""
    secret: str
    """What KOMI_API_TOKEN is for this gateway."""

    @property
    def origin(self) -> str:
        """https://host:port"""
        return f"https://{self.host}:{self.port}"

    @cached_property
    def trusting(self) -> ssl.SSLContext:
        """For clients that shall take the certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    @property
    def address(self) -> str:
        """Of the camera's page, with a token that makes cameras and nothing else."""
        return f"{self.origin}/ui/camera/?token={Tokens(self.secret).of(Scope.CAMERA)}"

    def code(self) -> str:
        """The address as a QR code, in characters."""
        rows = [list(row) for row in segno.make(self.address, error="l", micro=False).matrix_iter(border=2)]
        if len(rows) % 2:
            rows.append([0] * len(rows[0]))
        # Light modules are drawn, as most terminals are dark; a character holds two rows.
        return "\n".join(
            "".join(_BLOCKS[bool(upper), bool(lower)] for upper, lower in zip(*two, strict=True))
            for two in zip(rows[::2], rows[1::2], strict=True)
        )

    def environment(self) -> dict[str, str]:
        """What its gateway is told beyond what every gateway is."""
        return {
            "KOMI_GATEWAY_HOST": "0.0.0.0",
            "KOMI_GATEWAY_TLS_CERTIFICATE": str(self.certificate),
            "KOMI_API_TOKEN": self.secret,
        }

    def command(self) -> tuple[str, ...]:
        """Starts its gateway."""
        return (sys.executable, "-m", "services.gateway", "--port", str(self.port))


def invite(port: int) -> Phones:
    """Phones of this network, at `port`. Raises FetchError where there is no network or no certificate can be made."""
    host = own_address()
    if host is None:
        raise FetchError("this machine is in no network: no phone reaches it")
    return Phones(host, port, certificate(host), secrets.token_urlsafe(24))


def certificate(host: str) -> Path:
    """A certificate for `host`, an IP address, and its key in one file: made once, kept for some months."""
    kept = cache_folder() / "tls" / f"{host}.pem"
    if kept.is_file() and time.time() - kept.stat().st_mtime < MADE_ANEW_S:
        return kept
    openssl = shutil.which("openssl")
    if openssl is None:
        raise FetchError(
            "to let phones in over HTTPS a certificate is made by openssl, which is not here: install it"
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    made = kept.with_suffix(f".{os.getpid()}")
    made.touch(mode=0o600)
    # fmt: off
    done = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(DAYS), "-subj", "/CN=KOMI",
         "-addext", f"subjectAltName=IP:{host}", "-addext", "extendedKeyUsage=serverAuth",
         "-keyout", f"{made}.key", "-out", str(made)],
        check=False, capture_output=True, text=True,
    )
    # fmt: on
    key = Path(f"{made}.key")
    if done.returncode:
        made.unlink(missing_ok=True)
        key.unlink(missing_ok=True)
        raise FetchError(f"openssl could not make a certificate: {done.stderr.strip()}")
    with made.open("a", encoding="ascii") as both:
        both.write(key.read_text(encoding="ascii"))
    key.unlink()
    made.replace(kept)
    return kept
