"""The committed stubs are what the protos say."""

from pathlib import Path

from protos.generate import COMMITTED, generate


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
