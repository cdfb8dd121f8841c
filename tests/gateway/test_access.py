"""Open on loopback, a token beyond it; what each token may do; guesses are slow."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from websockets.exceptions import InvalidStatus

from komi.pose.v1 import pose_service_pb2, pose_service_pb2_grpc
from services.gateway.access.rates import Buckets, Rate
from services.gateway.access.rules import Guesses, is_own_name, needed
from services.gateway.config import GatewaySettings
from services.gateway.ended import OF_A_FAILED_WRITE
from services.mesh.channel import open_channel
from services.mesh.tokens import Scope, Tokens, is_loopback
from services.pose.config import PoseSettings
from tests.gateway.conftest import NOWHERE, open_door, open_mesh
from tests.gateway.door import JPEG, Door, receive
from tests.gateway.test_rest import problem

SECRET = "a-secret-of-some-length"
TOKENS = Tokens(SECRET)


@pytest.fixture
async def guarded(redis_url: str) -> AsyncIterator[Door]:
    """A gateway that asks for tokens."""
    async with AsyncExitStack() as stack:
        settings = GatewaySettings(
            redis_url=redis_url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE,
            access="token", api_token=SecretStr(SECRET), cors_origins=("https://app.example",),
        )  # fmt: skip
        yield await open_door(stack, settings)


def bearer(scope: Scope) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS.of(scope)}"}


@given(st.text(max_size=50))
def test_no_other_text_is_a_token(text: str) -> None:
    assert TOKENS.scope_of(text) is None


def test_each_scope_has_its_token_and_replicas_with_one_secret_agree() -> None:
    assert len({TOKENS.of(scope) for scope in Scope}) == 3
    for scope in Scope:
        assert Tokens(SECRET).scope_of(TOKENS.of(scope)) is scope
        assert Tokens(SECRET + "x").scope_of(TOKENS.of(scope)) is None


@pytest.mark.parametrize(
    ("kind", "method", "path", "who"),
    [
        ("http", "GET", "/api/v1/cameras", "av"),
        ("http", "GET", "/get-image/front", "av"),
        ("http", "POST", "/api/v1/sessions", "a"),
        ("http", "DELETE", "/api/v1/references/r-1", "a"),
        ("http", "GET", "/ui/camera", ""),
        ("http", "GET", "/ui/", ""),
        ("http", "GET", "/ui", ""),
        ("http", "GET", "/uiuiui", "av"),
        ("http", "GET", "/ui/manifest.json", ""),
        ("http", "GET", "/healthz", ""),
        ("http", "GET", "/readyz", ""),
        ("websocket", "GET", "/ws/v1/sessions/live", "av"),
        ("websocket", "GET", "/ws/monitor", "av"),
        ("websocket", "GET", "/ws/camera", "ac"),
        ("websocket", "GET", "/ws/v1/cameras/phone", "ac"),
    ],
)
def test_who_may_do_what(kind: str, method: str, path: str, who: str) -> None:
    assert {scope.value[0] for scope in needed(kind, method, path)} == set(who)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("gateway:8000", True),
        ("[::1]:8000", True),
        ("::1", True),
        ("192.168.1.7", True),
        ("evil.example:8000", False),
        ("localhost.evil.example", False),
    ],
)
def test_a_name_with_a_dot_is_a_strangers(host: str, own: bool) -> None:
    assert is_own_name(host) is own


def test_a_token_is_asked_for_beyond_loopback_and_short_ones_are_refused() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.168.1.7")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert GatewaySettings(host="0.0.0.0").asks_for_token
    assert not GatewaySettings(host="0.0.0.0", access="open").asks_for_token
    assert not GatewaySettings().asks_for_token
    with pytest.raises(ValidationError, match="easily guessed"):
        GatewaySettings(api_token=SecretStr("short"))


def test_guesses_are_limited_by_address_and_forgotten_after_a_while() -> None:
    guesses = Guesses(most=3, window_s=60, addresses=2)
    for at in range(3):
        assert guesses.wait_s("a", at) == 0
        guesses.wrong("a", at)
    assert guesses.wait_s("a", 3) == 57
    assert guesses.wait_s("b", 3) == 0
    assert guesses.wait_s("a", 60.5) == 0
    guesses.wrong("b", 4)
    guesses.wrong("c", 5)
    assert guesses.wait_s("a", 6) == 0  # only so many addresses are remembered


async def test_a_request_without_a_token_is_refused_and_probes_are_not(guarded: Door) -> None:
    problem(await guarded.client.get("/api/v1/cameras"), 401, "TOKEN_MISSING")
    assert (await guarded.client.get("/healthz")).status_code == 200
    assert (await guarded.client.get("/api/v1/cameras", headers=bearer(Scope.VIEW))).status_code == 200
    problem(
        await guarded.client.post("/api/v1/sessions", json={}, headers=bearer(Scope.VIEW)), 403, "TOKEN_SCOPE"
    )
    assert (
        await guarded.client.post("/api/v1/sessions", json={}, headers=bearer(Scope.ADMIN))
    ).status_code == 201


async def test_an_admin_learns_the_tokens_to_hand_out_and_others_do_not(guarded: Door) -> None:
    told = (await guarded.client.get("/api/v1/access", headers=bearer(Scope.ADMIN))).json()
    assert told["camera_token"] == TOKENS.of(Scope.CAMERA)
    told = (await guarded.client.get("/api/v1/access", headers=bearer(Scope.VIEW))).json()
    assert told == {"open": False, "scope": "view", "view_token": None, "camera_token": None}


async def test_the_page_gets_its_token_as_a_cookie_and_its_address_without_it(guarded: Door) -> None:
    token = TOKENS.of(Scope.VIEW)
    answer = await guarded.client.get("/ui/", params={"token": token, "lang": "ko"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/?lang=ko")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert (await guarded.client.get("/ui/")).status_code == 200
    assert (await guarded.client.get("/api/v1/cameras")).status_code == 200
    assert guarded.client.cookies
    async with guarded.socket(
        "/ws/v1/sessions/live", additional_headers={"cookie": f"komi_token={token}"}
    ) as socket:
        assert (await receive(socket))["type"] == "hello"


async def test_the_page_is_served_without_a_token_and_with_a_wrong_one_which_counts_as_a_guess(
    guarded: Door,
) -> None:
    """Who opened /ui/ without the cookie once got JSON instead of the page that asks for the token."""
    for path in ("/ui/", "/ui/camera/", "/ui/manifest.json"):
        answer = await guarded.client.get(path)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    for token in ["guess"] * 10 + [TOKENS.of(Scope.ADMIN)]:  # by then nothing that is tried is looked at
        answer = await guarded.client.get("/ui/", params={"token": token})
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert answer.headers["content-type"].startswith("text/html")
    problem(await guarded.client.get("/api/v1/access", headers=bearer(Scope.ADMIN)), 429, "TOO_MANY_GUESSES")


async def test_a_right_token_in_the_pages_address_replaces_the_cookie(guarded: Door) -> None:
    for scope in (Scope.VIEW, Scope.CAMERA, Scope.ADMIN):
        answer = await guarded.client.get("/ui/camera/", params={"token": TOKENS.of(scope)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/camera/")
    assert (await guarded.client.get("/api/v1/access")).json()["scope"] == "admin"


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/ws/v1/sessions/live", None, 401),
        ("/ws/v1/sessions/live", Scope.CAMERA, 403),
        ("/ws/camera", Scope.VIEW, 403),
    ],
)
async def test_a_websocket_without_the_right_token_is_refused_before_the_handshake(
    guarded: Door, path: str, scope: Scope | None, status: int
) -> None:
    address = path if scope is None else f"{path}?token={TOKENS.of(scope)}"
    with pytest.raises(InvalidStatus) as refused:
        async with guarded.socket(address):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"")["reason"].startswith("TOKEN_")


def test_a_bucket_gives_its_burst_then_its_rate_and_other_peers_have_their_own() -> None:
    buckets = Buckets(Rate(per_s=2, burst=3), peers=2)
    assert [buckets.wait_s("a", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", 0) == 0
    assert buckets.wait_s("a", 0.5) == 0
    assert buckets.wait_s("a", 0.5) == 0.5
    assert buckets.wait_s("c", 0.5) == 0  # only so many peers are remembered: b is forgotten
    assert buckets.wait_s("a", 100) == 0


async def test_who_asks_too_often_is_told_when_to_try_again_and_probes_are_answered(redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        settings = GatewaySettings(
            redis_url=redis_url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE,
            requests_per_s=0.01, costly_per_s=0.01,
        )  # fmt: skip
        door = await open_door(stack, settings)
        assert (await door.client.post("/api/v1/sessions", json={})).status_code == 201
        answer = await door.client.post("/api/v1/sessions", json={})
        problem(answer, 429, "TOO_MANY_REQUESTS")
        assert int(answer.headers["retry-after"]) >= 1
        assert (await door.client.get("/api/v1/cameras")).status_code == 200
        problem(await door.client.get("/api/v1/cameras"), 429, "TOO_MANY_REQUESTS")
        with pytest.raises(InvalidStatus) as refused:
            async with door.socket("/ws/monitor"):
                pass
        assert refused.value.response.status_code == 429
        assert (await door.client.get("/healthz")).status_code == 200


async def test_guessing_is_slowed_down(guarded: Door) -> None:
    for _ in range(10):
        problem(
            await guarded.client.get("/cameras", headers={"authorization": "Bearer guess"}),
            401,
            "TOKEN_WRONG",
        )
    answer = await guarded.client.get("/cameras", headers={"authorization": "Bearer guess"})
    problem(answer, 429, "TOO_MANY_GUESSES")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_an_allowed_origin_may_ask_beforehand_without_a_token(guarded: Door) -> None:
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization",
    }
    answer = await guarded.client.options("/api/v1/sessions/live", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    answer = await guarded.client.options(
        "/api/v1/sessions/live", headers=headers | {"origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in answer.headers


async def test_a_strangers_name_for_an_open_gateway_is_refused(door: Door) -> None:
    """DNS rebinding: a page of evil.example whose name now points here would pass for our own origin."""
    answer = await door.client.get("/cameras", headers={"host": "evil.example:8000"})
    problem(answer, 403, "FOREIGN_HOST")
    told = (await door.client.get("/api/v1/access")).json()
    assert told == {"open": True, "scope": "admin", "view_token": None, "camera_token": None}


async def streamed(channel: grpc.aio.Channel, request: Any) -> tuple[str, str]:
    """How a stream to pose of this one request ended, and its first answer.

    grpc.aio says INTERNAL in place of a refusal that arrives while a request is being written; who streams tries again.
    """
    code, answers = "", [""]
    for _ in range(20):
        call = pose_service_pb2_grpc.PoseServiceStub(channel).StreamPoses(iter([request]), timeout=60)
        answers = [""]
        with contextlib.suppress(grpc.aio.AioRpcError):
            answers = [str(answer.WhichOneof("payload")) async for answer in call]
        code = (await call.code()).name
        if await call.details() != OF_A_FAILED_WRITE[1]:
            break
    return code, answers[0]


async def test_a_mesh_that_asks_for_tokens_everywhere_works_and_is_closed_to_others(redis_url: str) -> None:
    """Only the gateway asked: whoever reached the port of a service could do as they liked."""
    async with AsyncExitStack() as stack:
        shared: dict[str, Any] = {"access": "token", "api_token": SecretStr(SECRET)}
        pose = PoseSettings(redis_url=redis_url, port=0, metrics_port=0, drain_s=0.5, inference="none")
        mesh = await open_mesh(stack, redis_url, pose, **shared)
        # As the camera of a browser, through the gateway to pose, sync and back.
        async with (
            mesh.socket(f"/ws/v1/sessions/live?topics=poses&token={TOKENS.of(Scope.VIEW)}") as viewer,
            mesh.socket(f"/ws/camera?camera_id=front&token={TOKENS.of(Scope.CAMERA)}") as camera,
        ):
            await receive(viewer, "hello")  # from now on it misses nothing
            await receive(camera, "connection_successful")
            image = base64.b64encode(JPEG).decode()
            await camera.send(json.dumps({"type": "frame", "timestamp": 1.0, "image_data": image}))
            assert (await receive(camera, "frame_processed"))["pose_data"]["pose"]
            assert (await receive(viewer, "poses"))["cameras"][0]["camera_id"] == "front"
        listed = await mesh.client.get("/api/v1/references", headers=bearer(Scope.VIEW))
        assert (listed.status_code, listed.json()["references"]) == (200, [])

        # As a capture elsewhere does, which has only a camera's token.
        address = mesh.server.settings.pose
        config = pose_service_pb2.StreamPosesRequest(
            config=pose_service_pb2.StreamConfig(camera_id="side", session_id="live", instance_id="there")
        )
        for scope, code in ((Scope.CAMERA, "OK"), (Scope.VIEW, "PERMISSION_DENIED")):
            async with open_channel(address, SecretStr(TOKENS.of(scope))) as channel:
                assert await streamed(channel, config) == (code, "ready" if code == "OK" else "")

        # A gateway of another token: it is told which service refuses it, and so are its users.
        shared["api_token"] = SecretStr("another-secret-of-some-length")
        stranger = await open_door(
            stack, mesh.server.settings.model_copy(update={"api_token": shared["api_token"]})
        )
        answer = await stranger.client.get(
            "/api/v1/references", headers={"authorization": "Bearer another-secret-of-some-length"}
        )
        problem(answer, 502, "NEIGHBOUR_REFUSES")
        assert "KOMI_API_TOKEN" in answer.json()["detail"]


async def test_a_token_that_was_made_is_in_the_address_of_the_page_and_one_that_was_given_is_not(
    redis_url: str, guarded: Door
) -> None:
    assert guarded.server.page_address is None
    async with AsyncExitStack() as stack:
        settings = GatewaySettings(
            redis_url=redis_url, port=0, pose=NOWHERE, sync=NOWHERE, scoring=NOWHERE, access="token"
        )
        door = await open_door(stack, settings)
        assert door.server.page_address is not None
        async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
            assert (await browser.get(door.server.page_address)).status_code == 200
