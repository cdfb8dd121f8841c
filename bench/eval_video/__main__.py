"""`python -m bench.eval_video FOLDER OUT.json`: repetitions counted in the videos of FOLDER/labels.csv."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import grpc

from bench.eval_video import figures, labels
from bench.eval_video.counting import Counted, count
from bench.running import running
from komi.scoring.v1 import scoring_service_pb2_grpc


async def counted(folder: Path, wanted: list[labels.Label], model: str) -> list[Counted]:
    """On a mesh of their own."""
    async with (
        running(model) as mesh,
        grpc.aio.insecure_channel(mesh.addresses.of("scoring")) as channel,
    ):
        return await count(scoring_service_pb2_grpc.ScoringServiceStub(channel), folder, wanted)


def main() -> None:
    """Count, print the table, write JSON and PNG."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval_video", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="folder of videos with a labels.csv: file,exercise,repetitions"
    )
    parser.add_argument("out", type=Path, help="JSON to write; the picture goes beside it as PNG")
    parser.add_argument("--model", default="full", choices=("lite", "full", "heavy"))
    asked = parser.parse_args()
    try:
        wanted = labels.read(asked.folder)
    except labels.BadLabels as bad:
        sys.exit(str(bad))
    told = figures.document(asyncio.run(counted(asked.folder, wanted, asked.model)))
    print(figures.table(told))
    figures.write(told, asked.out)


if __name__ == "__main__":
    main()
