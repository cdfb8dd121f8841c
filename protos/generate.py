"""Generate the Python stubs of the contract: `make protos`.

Reads every `protos/komi/**/*.proto`, writes `protos/gen/komi/<package>/v1/*_pb2{,_grpc}.{py,pyi}`.
The stubs are committed; `tests/mesh/test_stubs_are_fresh.py` runs `generate` into a scratch folder
and compares. `protos/gen` is on the import path, so the stubs import one another as `komi.pose.v1…`
and nothing has to be rewritten after protoc.
"""

import argparse
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
COMMITTED = PROTOS / "gen"


class GenerationError(RuntimeError):
    """protoc refused a file, or there is none; its own message is on stderr."""


def generate(target: Path) -> list[Path]:
    """Generate every stub below `target`, which must exist, and return the files written, sorted."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "komi").rglob("*.proto"))
    if not sources:
        raise GenerationError(f"no .proto file below {PROTOS / 'komi'}")
    plugins = Path(sys.executable).parent
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *sources,
        ]
    )
    if status != 0:
        raise GenerationError(f"protoc exited with {status}")
    return sorted(path for path in target.rglob("*.py*") if path.suffix in {".py", ".pyi"})


def replace(folder: Path) -> list[Path]:
    """Generate every stub in place of what `folder` holds; a run that fails or is interrupted leaves that as it was.

    Returns the files written, sorted. Raises GenerationError.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        fresh, former = Path(scratch, "fresh"), Path(scratch, "former")
        fresh.mkdir()
        written = generate(fresh)
        if folder.exists():
            folder.rename(former)
        fresh.rename(folder)
    return [folder / path.relative_to(fresh) for path in written]


def main() -> None:
    """Regenerate the committed stubs, removing those whose proto is gone."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    written = replace(COMMITTED)
    print(f"{len(written)} stub files in {COMMITTED.relative_to(PROTOS.parent)}")


if __name__ == "__main__":
    main()
