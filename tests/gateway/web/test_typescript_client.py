"""The TypeScript of docs/clients.md has sound types and runs as it stands."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.gateway.door import Door, an_update
from tests.gateway.scripted import Rig
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


LIBRARY = """
import { Komi } from "./client.js";
const komi = new Komi(process.argv[2]);
const video = new Blob(["video"]);
const reports = [];
for await (const report of komi.reports("live")) reports.push(report.report_id);
console.log(JSON.stringify({
  reports,
  versions: (await komi.versions("r-1")).map((known) => [known.version, known.active]),
  active: (await komi.activate("r-1", 1)).version,
  refused: await komi.activate("r-1", 7).catch((problem) => problem.status),
  exercises: (await komi.exercises()).map((known) => known.name.ko),
  alarms: await komi.alarms("live"),
  score: (await komi.compare(video, video)).score,
  cancelled: await komi.compare(video, video, AbortSignal.abort("enough")).catch((reason) => reason),
}));
"""


def compile_client(node: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node, WEB / "node_modules" / "typescript" / "bin" / "tsc", "--strict", "--target", "es2022",
         "--module", "nodenext", "--lib", "es2022,dom", "--types", "", "client.ts"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def prepare(node: Path, folder: Path, program: str) -> None:
    """The document's client, compiled, with `program` beside it."""
    document = (CHECKOUT / "docs" / "clients.md").read_text(encoding="utf-8")
    (folder / "client.ts").write_text(
        "\n".join(re.findall(r"^```ts\n(.*?)^```", document, re.DOTALL | re.MULTILINE)), encoding="utf-8"
    )
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "program.js").write_text(program)
    compiled = compile_client(node, folder)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr


async def test_a_typed_client_reads_reports_changes_versions_and_compares_videos(
    rig: Rig, node: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(prepare, node, tmp_path, LIBRARY)
    program = await asyncio.create_subprocess_exec(
        node, "--experimental-websocket", "program.js", f"http://{rig.door.server.address}",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        output, complaints = await program.communicate()
    assert program.returncode == 0, complaints.decode()
    assert json.loads(output) == {
        "reports": ["p-2", "p-1", "p-0"],
        "versions": [[2, True], [1, False]],
        "active": 1,
        "refused": 404,
        "exercises": ["스쿼트"],
        "alarms": [],
        "score": 84,
        "cancelled": "enough",
    }


async def test_a_typed_client_starts_a_session_and_follows_it_through_a_broken_connection(
    door: Door, node: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(prepare, node, tmp_path, PROGRAM)
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
