"""`python -m bench.set_cost [OUT.json]`: what a set of two cameras costs scoring."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from bench.set_cost.load import minute, squats
from bench.set_cost.measuring import in_process, through_redis


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.set_cost", description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", help="JSON to write")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="through Redis (default 20; 0: not at all)"
    )
    asked = parser.parse_args()
    document: dict[str, Any] = {"bar_ms": 2.0}
    for load in (minute(), squats()):
        document[load.name] = figures = {"in_process": in_process(load)}
        if asked.seconds:
            figures["through_redis"] = asyncio.run(through_redis(load, asked.seconds))
    print(json.dumps(document, indent=2))
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
