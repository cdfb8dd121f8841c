"""The Streamlit app of docs/clients.md runs as it stands, on a real mesh."""

import asyncio
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from services.mesh import keys
from tests.gateway.door import Door
from tests.gateway.test_clients_document import CLIENTS

MOST_LINES = 60


def app_source() -> str:
    """The document's app."""
    document = CLIENTS.read_text(encoding="utf-8")
    found = re.search(r"^```python app.py\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


async def test_the_app_starts_a_session_shows_it_and_ends_it(
    mesh: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = app_source()
    assert len(source.splitlines()) <= MOST_LINES
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    monkeypatch.setenv("KOMI", f"http://{mesh.server.address}")
    app = AppTest.from_file(str(tmp_path / "app.py"), default_timeout=60)

    def started() -> str:
        app.run()
        assert not app.exception
        assert app.title[0].value == "KOMI"
        assert [metric.value for metric in app.metric] == ["0", "–"]
        app.sidebar.number_input[0].set_value(5)
        app.sidebar.button[0].click().run()
        assert not app.exception
        assert not app.error
        session_id = app.session_state.session
        assert app.caption[0].value == f"Session {session_id}"
        return str(session_id)

    session_id = await asyncio.to_thread(started)
    told = (await mesh.client.get(f"/api/v1/sessions/{session_id}")).json()
    assert (told["state"], told["target_repetitions"]) == ("open", 5)
    await asyncio.to_thread(lambda: app.main.button[0].click().run())
    assert not app.exception
    assert app.caption[0].value == f"Session {keys.LIVE_SESSION}"
    assert (await mesh.client.get(f"/api/v1/sessions/{session_id}")).json()["state"] == "ended"


async def test_the_app_shows_the_gateways_own_words_where_something_is_wrong(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.py").write_text(app_source(), encoding="utf-8")
    monkeypatch.setenv("KOMI", f"http://{door.server.address}")
    app = AppTest.from_file(str(tmp_path / "app.py"), default_timeout=60)
    await asyncio.to_thread(app.run)
    assert not app.exception
    assert "scoring" in app.error[0].value
