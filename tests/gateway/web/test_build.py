"""The committed page is what its source builds, small, and loads nothing from elsewhere."""

import gzip
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from tests.gateway.web.conftest import STATIC, WEB

SCRIPT_BUDGET = 120 * 1024
# Names of XML namespaces and identifiers, which nothing opens.
IDENTIFIERS = {
    "http://www.w3.org/2000/svg",
    "http://www.w3.org/1999/xhtml",
    "http://www.w3.org/1998/Math/MathML",
}


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file by its path within the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_committed_page_is_what_its_source_builds_byte_for_byte(node: Path, tmp_path: Path) -> None:
    """`make page` after a change of the source; both belong into one commit."""
    vite = WEB / "node_modules" / "vite" / "bin" / "vite.js"
    built = subprocess.run(
        [node, vite, "build", "--outDir", tmp_path, "--logLevel", "warn"],
        cwd=WEB, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    fresh, committed = files_of(tmp_path), files_of(STATIC)
    assert sorted(fresh) == sorted(committed)
    assert [name for name in fresh if fresh[name] != committed[name]] == []


def test_all_scripts_together_stay_within_the_budget() -> None:
    packed = sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.rglob("*.js"))
    assert 0 < packed <= SCRIPT_BUDGET


def test_nothing_of_the_page_names_an_address_elsewhere() -> None:
    for name, content in files_of(STATIC).items():
        addresses = set(re.findall(r"https?://[\w.-]+[^\s\"'`)]*", content.decode("utf-8", "ignore")))
        assert addresses <= IDENTIFIERS, name


def test_documents_have_no_inline_script_or_style() -> None:
    class Inline(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            names = dict(attrs)
            if tag == "style" or (tag == "script" and "src" not in names):
                self.found.append(tag)
            self.found += [name for name in names if name == "style" or name.startswith("on")]

    documents = sorted(STATIC.rglob("*.html"))
    assert documents
    for document in documents:
        parser = Inline()
        parser.found = []
        parser.feed(document.read_text(encoding="utf-8"))
        assert parser.found == [], document


def test_the_lock_names_no_host() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text(encoding="utf-8")
