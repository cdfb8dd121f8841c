"""The committed stubs are what the protos say."""

from pathlib import Path

import pytest
from grpc_tools import protoc

from protos.generate import COMMITTED, GenerationError, generate, replace


def test_the_committed_stubs_are_what_the_protos_generate(tmp_path: Path) -> None:
    generated = {path.relative_to(tmp_path): path.read_text() for path in generate(tmp_path)}
    committed = {
        path.relative_to(COMMITTED): path.read_text()
        for path in COMMITTED.rglob("*.py*")
        if path.suffix in {".py", ".pyi"}
    }
    assert sorted(committed) == sorted(generated), "a proto was added or removed: run `make protos`"
    stale = [str(path) for path in generated if committed[path] != generated[path]]
    assert not stale, "run `make protos`"


def test_stubs_are_there_while_new_ones_are_made_and_stay_where_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder was emptied first: whoever interrupted `make protos` had none."""
    folder = tmp_path / "gen"
    folder.mkdir()
    stub = folder / "former_pb2.py"
    stub.write_text("")

    def refusing(arguments: list[str]) -> int:
        assert stub.exists()
        return 1

    with monkeypatch.context() as patched:
        patched.setattr(protoc, "main", refusing)
        with pytest.raises(GenerationError):
            replace(folder)
    assert [*tmp_path.iterdir()] == [folder]
    assert stub.exists()
    written = replace(folder)
    assert all(path.is_file() for path in written)
    assert not stub.exists()
    assert [*tmp_path.iterdir()] == [folder]
