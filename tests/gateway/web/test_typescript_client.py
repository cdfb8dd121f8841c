"""The TypeScript of docs/clients.md has sound types and runs as it stands."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.gateway.door import Door, an_update
from tests.gateway.test_live import watched
from tests.gateway.web.conftest import WEB
from tests.support.redis_server import CHECKOUT

# What a program of somebody else's does with it; what it hears goes to the test.
PROGRAM = """
import { Komi } from "./client.js";
const komi = new Komi(process.argv[2]);
const tell = (told) => console.log(JSON.stringify(told));
const session = await komi.start(["front"], "");
tell({ type: "started", ...session });
await komi.ask("GET", "/api/v1/sessions/nowhere").catch((problem) => tell({ type: "problem", reason: problem.reason }));
const stop = komi.follow(session.session_id, "repetition", (message) => {
  tell(message);
  if (message.type === "repetition" && message.number === 2) stop();
});
"""


def compile_client(node: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node, WEB / "node_modules" / "typescript" / "bin" / "tsc", "--strict", "--target", "es2022",
         "--module", "nodenext", "--lib", "es2022,dom", "--types", "", "client.ts"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


async def test_a_typed_client_starts_a_session_and_follows_it_through_a_broken_connection(
    door: Door, node: Path, tmp_path: Path
) -> None:
    document = (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8")
    (tmp_path / "client.ts").write_text(
        "\n".join(re.findall(r"^```ts\n(.*?)^```", document, re.DOTALL | re.MULTILINE))
    )
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "program.js").write_text(PROGRAM)
    compiled = await asyncio.to_thread(compile_client, node, tmp_path)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    program = await asyncio.create_subprocess_exec(
        node, "--experimental-websocket", "program.js", f"http://{door.server.address}",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        lines = program.stdout

        async def heard(kind: str) -> dict[str, Any]:
            async with asyncio.timeout(60):
                while line := await lines.readline():
                    told: dict[str, Any] = json.loads(line)
                    if told["type"] == kind:
                        return told
            raise AssertionError(f"the program ended without a {kind!r}")

        session_id = (await heard("started"))["session_id"]
        assert (await heard("problem"))["reason"] == "SESSION_NOT_FOUND"
        await heard("hello")
        await watched(door, session_id)
        await door.score(an_update(1, session_id=session_id, completes=1))
        assert (await heard("repetition"))["number"] == 1
        assert door.server._uvicorn is not None
        for connection in tuple(door.server._uvicorn.server_state.connections):
            connection.transport.abort()
        await door.score(an_update(2, session_id=session_id, completes=2))
        assert (await heard("repetition"))["number"] == 2
        assert await asyncio.wait_for(program.wait(), 60) == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
