"""HTTPS of the gateway's own, as phones want it before they give a page their camera."""

import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect

from demo import phones
from demo.fetch import FetchError
from services.gateway.config import GatewaySettings
from services.gateway.server import GatewayServer
from services.mesh.errors import SettingsError
from tests.gateway.conftest import NOWHERE
from tests.gateway.door import receive
from tests.support.capabilities import require


def settings(redis_url: str, certificate: Path, **more: object) -> GatewaySettings:
    free = {"redis_url": redis_url, "port": 0, "pose": NOWHERE, "sync": NOWHERE, "scoring": NOWHERE}
    return GatewaySettings(**{**free, "tls_certificate": certificate, **more}, _cli_parse_args=[])  # type: ignore[arg-type]


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KOMI_CACHE_DIR", str(tmp_path))
    try:
        return phones.certificate("127.0.0.1")
    except FetchError as error:
        require(False, str(error))
        raise


async def test_page_rest_websocket_and_cookie_go_over_https(redis_url: str, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    server = GatewayServer(settings(redis_url, certificate, access="token"))
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop)
        assert server.page_address is not None
        client = await stack.enter_async_context(httpx.AsyncClient(verify=trusting, timeout=60))
        entry = await client.get(server.page_address)
        assert entry.status_code == 303
        assert "Secure" in entry.headers["set-cookie"]
        assert (await client.get(f"https://{server.address}/ui/camera/")).status_code == 200
        qr = {"params": {"path": "/ui/camera/"}, "headers": {"host": f"192.168.1.7:{server.port}"}}
        told = (await client.get(f"https://{server.address}/api/v1/qr.svg", **qr)).headers["komi-address"]  # type: ignore[arg-type]
        assert told.startswith(f"https://192.168.1.7:{server.port}/ui/camera/?token=")
        token = server.page_address.partition("token=")[2]
        address = f"wss://{server.address}/ws/v1/sessions/live?token={token}"
        async with connect(address, ssl=trusting, compression=None, open_timeout=60) as viewer:
            assert (await receive(viewer, "status"))["viewers"] == 1


async def test_a_certificate_that_is_none_is_named_before_anything_starts(
    redis_url: str, certificate: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nonsense")
    for bad in (broken, tmp_path / "nowhere.pem"):
        with pytest.raises(SettingsError, match=bad.name):
            await GatewayServer(settings(redis_url, bad)).start()
    alone = GatewaySettings(redis_url=redis_url, port=0, tls_key=certificate, api_token=SecretStr(""))
    with pytest.raises(SettingsError, match="no --tls-certificate"):
        await GatewayServer(alone).start()


def test_the_key_is_for_its_owner_alone_and_the_certificate_is_kept(certificate: Path) -> None:
    assert certificate.stat().st_mode & 0o077 == 0
    before = certificate.read_bytes()
    assert phones.certificate("127.0.0.1").read_bytes() == before
