"""Runs programs side by side: says who is ready, who died and why, brings them back, stops them in order."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.console import Console, brief, parse

LEASH = Path(__file__).with_name("leash.py")
LAST_LINES = 8
"""Lines of a dead program that are shown."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0
LATE_S = 10.0
"""A program that is not ready after this long is asked why."""
HEALTHY_S = 20.0
"""A program that ran this long starts its next life without a pause."""
ATTEMPTS = 3
"""A program that dies this often before it was ever ready ends the run."""
PATIENCE_S = 8.0
"""Time to stop after SIGTERM before SIGKILL follows."""
WRONG_SETTINGS = 2
"""Exit status of a program that was told something it does not understand: no use in trying again."""


class ProgramError(Exception):
    """A program cannot be kept running; the message names it and says why."""


@dataclass(frozen=True)
class Program:
    """Something to keep running."""

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    """Whether it does its work now; asked several times a second until it says so."""
    where: str = ""
    """Its address, for people."""
    environment: Mapping[str, str] = field(default_factory=dict)
    essential: bool = True
    """`all_ready` waits for it."""
    stop_order: int = 0
    """Programs of lower order stop first; equal ones together."""


class _Kept:
    """One program and the process it is at present."""

    def __init__(self, program: Program, console: Console) -> None:
        self.program = program
        self.is_ready = asyncio.Event()
        self._console = console
        self._process: asyncio.subprocess.Process | None = None
        self._told_to_stop = asyncio.Event()
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._told = ""

    @property
    def pid(self) -> int | None:
        """Process id, None while it is down."""
        return self._process.pid if self._process else None

    async def keep(self) -> None:
        """Run it over and over until `stop`. Raises ProgramError when that makes no sense."""
        name, pause_s, failures, loop = self.program.name, FIRST_PAUSE_S, 0, asyncio.get_running_loop()
        while not self._told_to_stop.is_set():
            began = loop.time()
            code = await self._live(began)
            if self._told_to_stop.is_set():
                return
            if code == 0:
                self._console.say(name, "has done its work and ended")
                return
            failures = 0 if self.is_ready.is_set() else failures + 1
            self.is_ready.clear()
            why = self._explain(code)
            self._console.say(name, why, colour=31)
            for line in self._last:
                self._console.say(name, f"  {line}", colour=31)
            if code == WRONG_SETTINGS or failures >= ATTEMPTS:
                raise ProgramError(f"{name} cannot run: {why}; {self._newest()}")
            if loop.time() - began > HEALTHY_S:
                pause_s = FIRST_PAUSE_S
            self._console.say(name, f"starts again in {pause_s:g} s")
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._told_to_stop.wait()
        except TimeoutError:
            pass

    async def _live(self, began: float) -> int:
        """From start to exit status; negative: the signal that ended it."""
        self._last.clear()
        self._told = ""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid())),
            *self.program.command,
            env={**os.environ, **self.program.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C goes to the whole foreground group: only the supervisor shall hear it, and stop all in order.
            start_new_session=True,
            limit=1 << 20,
        )
        if self._told_to_stop.is_set():  # while it started: nobody has told the process
            self.send(signal.SIGTERM)
        watch = asyncio.create_task(self._watch(began))
        try:
            assert process.stdout
            await self._pass_on(process.stdout)
            return await process.wait()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            self._process = None

    async def _pass_on(self, lines: asyncio.StreamReader) -> None:
        while True:
            try:
                raw = await lines.readline()
            except ValueError:  # longer than the limit; the rest of it follows
                continue
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip()
            if not line:
                continue
            entry = parse(line)
            if entry is None or entry.get("level") not in {"debug", "info"}:
                self._last.append(brief(entry) if entry is not None else line)
            elif entry["level"] == "info":
                self._told = brief(entry)
            # Until all are up, each waits for the others and says so: only who is late is worth a line.
            if self.is_ready.is_set() or entry is None or entry.get("level") != "warning":
                self._console.log(self.program.name, line)

    async def _watch(self, began: float) -> None:
        loop, late_s = asyncio.get_running_loop(), LATE_S
        while not await self.program.ready():
            await asyncio.sleep(0.1)
            if loop.time() - began > late_s:
                self._console.say(
                    self.program.name, f"not ready after {late_s:g} s: {self._newest()}", colour=33
                )
                late_s *= 2
        self.is_ready.set()
        took = loop.time() - began
        self._console.say(
            self.program.name, f"ready in {took:.1f} s  {self.program.where}".rstrip(), colour=32
        )

    def _explain(self, code: int) -> str:
        if code >= 0:
            return f"ended with exit status {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"

    def _newest(self) -> str:
        return self._last[-1] if self._last else self._told or "it has said nothing yet"

    def send(self, how: signal.Signals) -> None:
        """Signal the process, if there is one, and let it rest when it has gone."""
        self._told_to_stop.set()
        if self._process and self._process.returncode is None:
            self._process.send_signal(how)


class Supervisor:
    """Keeps programs running until told to stop, or until one of them cannot be kept."""

    def __init__(self, programs: Sequence[Program], console: Console) -> None:
        self._kept = [_Kept(program, console) for program in programs]
        self._keepers: dict[_Kept, asyncio.Task[None]] = {}
        self._console = console

    @property
    def pids(self) -> dict[str, int | None]:
        """Process ids by program, None while one is down."""
        return {kept.program.name: kept.pid for kept in self._kept}

    def start(self) -> None:
        """Start all, together."""
        for kept in self._kept:
            self._keepers[kept] = asyncio.create_task(kept.keep(), name=f"keep {kept.program.name}")

    async def all_ready(self) -> None:
        """Returns when every essential program has been seen ready."""
        for kept in self._kept:
            if kept.program.essential:
                await kept.is_ready.wait()

    async def keep_while(self, work: "asyncio.Task[None]") -> None:
        """Until `work` ends or is cancelled. Raises what it raises, or ProgramError when a program cannot be kept."""
        keepers = set(self._keepers.values())
        while not work.done():
            done, _ = await asyncio.wait({work, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            for keeper in done & keepers:
                keepers.discard(keeper)
                await keeper
        if not work.cancelled():
            await work

    async def stop(self) -> None:
        """SIGTERM in the order of the programs, SIGKILL to whoever does not listen."""
        for order in sorted({kept.program.stop_order for kept in self._kept}):
            group = [kept for kept in self._keepers if kept.program.stop_order == order]
            for kept in group:
                kept.send(signal.SIGTERM)
            keepers = [self._keepers[kept] for kept in group]
            if not keepers:
                continue
            _, late = await asyncio.wait(keepers, timeout=PATIENCE_S)
            for kept in group:
                if self._keepers[kept] in late:
                    if kept.pid:
                        self._console.say(
                            kept.program.name, f"did not stop within {PATIENCE_S:g} s: killed", colour=31
                        )
                    kept.send(signal.SIGKILL)
            # A keeper that is late and has no process is starting one.
            for kept in group:
                if kept.pid is None:
                    self._keepers[kept].cancel()
            await asyncio.gather(*keepers, return_exceptions=True)

    def kill(self) -> None:
        """End everything at once."""
        for kept in self._kept:
            kept.send(signal.SIGKILL)
