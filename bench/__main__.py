"""`python -m bench [--out FILE] …`: measure the mesh on this machine, beside the limit and the former design."""

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

import orjson

from bench import curves, report
from bench.compose import NotRunning
from bench.run import ALL_PHASES, COMPOSE_PHASES, PHASES, Plan, run
from demo.fetch import FetchError
from demo.stage import StageError
from demo.supervisor import ProgramError
from services.pose.models import ModelError, task_path


def main(arguments: list[str]) -> int:
    """Reads the command line, runs, reports; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"), help="JSON; a PNG goes beside it")
    parser.add_argument("--cameras", type=int, default=Plan.cameras)
    parser.add_argument("--fps", type=float, default=Plan.fps, help="of each camera")
    parser.add_argument("--model", choices=("lite", "full"), default=Plan.model)
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of each phase")
    parser.add_argument(
        "--phases",
        default=",".join(PHASES),
        help=f"comma-separated, of {', '.join(ALL_PHASES)} (default: all but curves)",
    )
    parser.add_argument("--target", choices=("processes", "compose"), default=Plan.target)
    parser.add_argument("--project", default=Plan.project, help="of a running compose (default: komi)")
    options = parser.parse_args(arguments)
    phases = tuple(filter(None, options.phases.split(",")))
    if unknown := set(phases) - set(ALL_PHASES):
        parser.error(f"no such phase: {', '.join(sorted(unknown))}; there are {', '.join(ALL_PHASES)}")
    if not 1 <= options.cameras <= 16 or not 1 <= options.fps <= 240 or options.seconds < 1:
        parser.error("1 to 16 cameras, 1 to 240 fps, at least 1 second")
    if options.target == "compose":
        # What runs is measured as it is: phases that start a mesh of their own make no sense.
        phases = tuple(phase for phase in phases if phase in COMPOSE_PHASES)
    plan = Plan(
        options.cameras,
        options.fps,
        options.model,
        options.seconds,
        phases,
        target=options.target,
        project=options.project,
    )
    try:
        _get_model(plan.model)
        found = asyncio.run(run(plan, lambda text: print(f"· {text}", flush=True)))
    except (FetchError, NotRunning, ProgramError, StageError, TimeoutError) as error:
        print(f"bench: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    found = report.headed(plan, found)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    picture = options.out.with_suffix(".png")
    report.draw(found, picture)
    written = [options.out, picture]
    if "curves" in found:
        written.append(options.out.with_name(f"{options.out.stem}-curves.png"))
        curves.draw(found["curves"], written[-1])
    print(report.table(found), "", *written, sep="\n")
    return 0


def _get_model(model: str) -> None:
    try:
        task_path(model)
    except ModelError:
        if subprocess.run([sys.executable, "-m", "services.pose.models", model], check=False).returncode:
            raise FetchError(f"without its {model} pose model there is nothing to measure") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
