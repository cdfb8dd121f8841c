"""The demo's supervisor: what dies is named and comes back, what cannot run ends the run, nothing is left behind."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

import demo.supervisor as supervisor_module
from demo.console import Console
from demo.supervisor import Program, ProgramError, Supervisor
from tests.support.redis_server import CHECKOUT
from tests.support.waiting import Eventually, wait_for


async def at_once() -> bool:
    return True


def python(name: str, source: str, *, stop_order: int = 0) -> Program:
    return Program(name, (sys.executable, "-c", source), ready=at_once, stop_order=stop_order)


SLEEP = "import time; time.sleep(600)"
Run = Callable[..., Supervisor]


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def run(shown: io.StringIO) -> AsyncIterator[Run]:
    started: list[Supervisor] = []

    def start(*programs: Program) -> Supervisor:
        supervisor = Supervisor(programs, Console(shown))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        await supervisor.stop()


async def test_who_is_late_is_asked_what_it_is_at(
    run: Run, shown: io.StringIO, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scoring, which compiles at its first start, once said nothing."""
    monkeypatch.setattr(supervisor_module, "LATE_S", 0.1)

    async def never() -> bool:
        return False

    told = """print('{"level": "info", "event": "compiling"}', flush=True); """
    run(Program("scoring", (sys.executable, "-c", told + SLEEP), ready=never))
    await eventually(lambda: "s: compiling" in shown.getvalue(), within=30, what="what it is at")


async def test_a_killed_program_is_named_with_its_signal_and_comes_back(
    run: Run, shown: io.StringIO, eventually: Eventually
) -> None:
    supervisor = run(python("pose", SLEEP), python("sync", SLEEP))
    await supervisor.all_ready()
    killed, neighbour = supervisor.pids["pose"], supervisor.pids["sync"]
    assert killed
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: supervisor.pids["pose"] not in {None, killed}, what="pose's second life")
    assert "pose │ was ended by SIGKILL" in shown.getvalue()
    assert supervisor.pids["sync"] == neighbour


async def test_what_cannot_run_ends_the_run_with_its_last_words(run: Run, shown: io.StringIO) -> None:
    async def never() -> bool:
        return False

    source = "import sys; print('no camera 7'); sys.exit(1)"
    supervisor = run(Program("capture", (sys.executable, "-c", source), ready=never))
    work = asyncio.create_task(asyncio.sleep(60))
    with pytest.raises(ProgramError, match=r"capture cannot run: ended with exit status 1; no camera 7"):
        await supervisor.keep_while(work)
    work.cancel()
    assert shown.getvalue().count("no camera 7") == 3, "it is tried three times"


async def test_a_wrong_setting_is_not_tried_twice(run: Run) -> None:
    supervisor = run(python("gateway", "import sys; sys.exit('gateway: unknown') if 0 else sys.exit(2)"))
    work = asyncio.create_task(asyncio.sleep(60))
    with pytest.raises(ProgramError, match="exit status 2"):
        await supervisor.keep_while(work)
    work.cancel()


async def test_a_program_that_has_done_its_work_is_left_alone(
    run: Run, shown: io.StringIO, eventually: Eventually
) -> None:
    supervisor = run(python("capture", "pass"), python("pose", SLEEP))
    ended = "capture │ has done its work and ended"

    async def until_one_is_left() -> None:
        await eventually(lambda: ended in shown.getvalue() and supervisor.pids["pose"], what="that it ends")

    await supervisor.keep_while(asyncio.create_task(until_one_is_left()))
    assert supervisor.pids["capture"] is None
    assert supervisor.pids["pose"]
    assert "starts again" not in shown.getvalue()


async def test_programs_stop_in_their_order(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(supervisor_module, "PATIENCE_S", 60.0)
    note = tmp_path / "stopped"
    obedient = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    with open({note!r}, 'a') as file: file.write({name!r})\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    supervisor = run(
        python("redis", obedient.format(note=str(note), name="r"), stop_order=3),
        python("gateway", obedient.format(note=str(note), name="g"), stop_order=0),
    )
    await eventually(lambda: all("up" in kept._last for kept in supervisor._kept), what="both up")
    pids = [pid for pid in supervisor.pids.values() if pid]
    await supervisor.stop()
    assert note.read_text() == "gr"
    assert not any(map(psutil.pid_exists, pids))


async def test_a_program_that_is_deaf_to_the_end_is_killed(
    run: Run, shown: io.StringIO, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(supervisor_module, "PATIENCE_S", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    supervisor = run(python("pose", deaf))
    await eventually(lambda: "up" in supervisor._kept[0]._last, what="that it is up")
    pid = supervisor.pids["pose"]
    assert pid
    await supervisor.stop()
    assert "pose │ did not stop within 0.3 s: killed" in shown.getvalue()
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("steps", range(8))
async def test_a_program_that_is_stopped_while_it_starts_is_told(
    run: Run, shown: io.StringIO, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Nobody told it: its supervisor waited in vain, and killed it."""
    monkeypatch.setattr(supervisor_module, "PATIENCE_S", 30.0)
    supervisor = run(python("pose", SLEEP))
    for _ in range(steps):
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await supervisor.stop()
    assert "killed" not in shown.getvalue()
    assert "ended" not in shown.getvalue()


async def test_a_program_that_is_stopped_between_two_lives_rests_at_once(
    run: Run, shown: io.StringIO, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    """Its pause was waited for, as long as one waits for the deaf."""
    for name in ("PATIENCE_S", "FIRST_PAUSE_S", "LONGEST_PAUSE_S"):
        monkeypatch.setattr(supervisor_module, name, 60.0)
    supervisor = run(python("pose", "import sys; sys.exit(1)"))
    await eventually(lambda: "starts again in 60 s" in shown.getvalue(), what="its pause")
    async with asyncio.timeout(30):
        await supervisor.stop()


def test_no_program_outlives_a_supervisor_that_is_killed() -> None:
    source = (
        "import asyncio, sys\n"
        "from demo.console import Console\n"
        "from tests.system.test_supervisor import SLEEP, Supervisor, python\n"
        "async def main():\n"
        "    supervisor = Supervisor([python('a', SLEEP), python('b', SLEEP)], Console(sys.stderr))\n"
        "    supervisor.start()\n"
        "    await supervisor.all_ready()\n"
        "    print(*supervisor.pids.values(), flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    wait_for(lambda: not any(map(psutil.pid_exists, pids)), what="the end of the programs")
