"""The commands of the READMEs and guides are run, so none of them promises what is not there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from demo import scene
from gym import script
from gym.calibration import pose2sim_toml
from gym.recording import cameras_of
from tests.support.capabilities import require
from tests.support.redis_server import CHECKOUT, free_port
from tests.support.waiting import wait_for
from tests.system.documents import blocks, links
from tests.system.running import Demo, demo
from tests.system.test_compose import PROJECT, compose_answers

pytestmark = pytest.mark.timeout(600)

README = blocks("README.md", "sh")
SERVICES = ("capture", "pose", "sync", "scoring", "gateway")
DEADLINE_EXCEEDED = 64 + 4
"""grpcurl's exit status for it."""


@pytest.fixture(scope="module")
def running(redis_binary: object) -> Iterator[Demo]:
    with demo() as started:
        wait_for(lambda: "Page" in started.shown, within=60, what="the page's address")
        wait_for(lambda: len(started.get("/cameras").json()["cameras"]) == 2, within=60, what="cameras")
        wait_for(lambda: "the reference stands" in started.shown, within=120, what="the reference")
        wait_for(lambda: started.addresses.keys() >= set(SERVICES), within=60, what="all ready")
        yield started


def usual(command: str, running: Demo) -> str:
    """The command with the ports of this demo in place of the usual ones."""
    ports = {8000: running.port}
    for number, name in enumerate(("capture", "pose", "sync", "scoring")):
        ports[50051 + number] = int(running.addresses[name].rpartition(":")[2])
        environment = running.services()[name].environ()
        ports[9051 + number] = int(environment[f"KOMI_{name.upper()}_METRICS_PORT"])
    return re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[int(found[1])]}", command)


def a_reference(running: Demo) -> str:
    """The id of one that is there."""
    return str(running.get("/api/v1/references").json()["references"][0]["reference_id"])


def a_build(running: Demo) -> str:
    """The id of one that has just begun."""
    with scene.gym_answer().open("rb") as video:
        begun = httpx.post(
            f"{running.gateway}/api/v1/references", data={"name": "Squat"}, files={"file": video}, timeout=120
        )
    return str(begun.json()["build_id"])


def run(command: str, folder: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    # Else a problem would do for an answer; one that says to try again (503, 429) is done as it says.
    command = re.sub(r"^curl ", "curl --fail --retry 9 --retry-delay 1 ", command)
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False, timeout=240,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def run_until_it_flows(command: str, folder: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    """Run with -max-time, which a busy machine may use up before anything flows: then with more of it."""
    done = run(command, folder)
    for seconds in (10, 40):
        if done.returncode == DEADLINE_EXCEEDED and done.stdout.strip():
            break
        done = run(re.sub(r"-max-time \d+", f"-max-time {seconds}", command), folder)
    return done


@pytest.mark.parametrize("command", [*blocks("docs/debugging.md", "sh"), *blocks("docs/access.md", "sh")])
def test_a_command_of_the_guides_works(running: Demo, command: str) -> None:
    flows = "-max-time" in command
    done = (run_until_it_flows if flows else run)(usual(command, running))
    assert done.returncode == (DEADLINE_EXCEEDED if flows else 0), done.stdout[-500:] + done.stderr
    assert done.stdout.strip()


def questions() -> list[str]:
    """What the services' READMEs and the guides for clients ask a running mesh, a line each."""
    documents = ("docs/clients.md", *(f"services/{name}/README.md" for name in sorted(SERVICES)))
    lines = [line for each in documents for block in blocks(each, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(("curl ", ".venv/bin/grpcurl "))]


@pytest.mark.parametrize("command", questions())
def test_a_question_to_a_service_is_answered(running: Demo, command: str, tmp_path: Path) -> None:
    shutil.copy(scene.gym_answer(), tmp_path / "squat.mp4")
    flows = "/Watch" in command
    if "GetReport" in command:
        report = "/api/v1/sessions/live/report"
        wait_for(lambda: running.get(report).is_success, within=120, what="a report")
    asked = usual(command.replace("grpcurl ", "grpcurl -max-time 2 ") if flows else command, running)
    asked = asked.replace("r-2b91", a_reference(running)).replace(".venv/", f"{CHECKOUT}/.venv/")
    if "b-91c0de" in asked:
        asked = asked.replace("b-91c0de", a_build(running))
    done = (run_until_it_flows if flows else run)(asked, tmp_path)
    assert done.returncode == (DEADLINE_EXCEEDED if flows else 0), done.stdout[-500:] + done.stderr
    assert done.stdout.strip() or (tmp_path / "front.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_calibration_is_taken_as_the_page_on_the_api_says(running: Demo, tmp_path: Path) -> None:
    """The gym's own, of the cameras that the demo shows."""
    session = script.find("session")
    assert session
    cameras = [camera.calibration for camera in cameras_of(script.read(session)).values()]
    (tmp_path / "Calib.toml").write_text(pose2sim_toml(cameras), encoding="utf-8")
    (command,) = blocks("docs/api.md", "sh")
    done = run(usual(command, running), tmp_path)
    assert json.loads(done.stdout) == {"session_id": "live", "cameras": ["front", "side"], "unmatched": []}
    gone = httpx.delete(f"{running.gateway}/api/v1/sessions/live/calibration", timeout=60)
    assert gone.status_code == 204


def test_health_watch_channelz_and_reflection_are_there_on_every_service(running: Demo) -> None:
    for name in ("capture", "pose", "sync", "scoring"):
        address = running.addresses[name]
        listed = run(f".venv/bin/grpcurl -plaintext {address} list").stdout.split()
        assert {"grpc.health.v1.Health", "grpc.channelz.v1.Channelz"} <= set(listed), name
        (own,) = (service for service in listed if service.startswith("komi."))
        watch = f'.venv/bin/grpcurl -plaintext -max-time 2 -d \'{{"service": "{own}"}}\' {address}'
        assert "SERVING" in run_until_it_flows(f"{watch} grpc.health.v1.Health/Watch").stdout, name


def test_every_command_of_the_readme_is_known_here() -> None:
    known = {*IN_DEMO, *STARTS, *CONTAINERS, "make test"}
    assert set(README) == known
    assert set(blocks("README.ko.md", "sh")) == known
    assert blocks("README.md", "python") == blocks("README.ko.md", "python")


def test_make_test_runs_every_test() -> None:
    assert "pytest" in run("make --dry-run test").stdout


STARTS = {
    "make demo": 2,
    "make demo CAMERAS=front:0,side:1": 0,
    "make demo CAMERAS=front:a.mp4,side:b.mp4": 2,
    "make demo CAMERAS=recording": 4,
    "make demo PHONE=1": 2,
}
"""Cameras that connect, where this machine has no device. Two of these run in `test_demo.py`."""


@pytest.mark.parametrize("command", sorted(STARTS.keys() - {"make demo", "make demo PHONE=1"}))
def test_the_demo_starts_as_the_readme_says(redis_binary: object, command: str, tmp_path: Path) -> None:
    video = scene.gym_answer()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(video, tmp_path / name)
    setting = command.removeprefix("make demo ").replace(":a.mp4", f":{tmp_path}/a.mp4")
    with demo(setting.replace(":b.mp4", f":{tmp_path}/b.mp4")) as started:
        wait_for(lambda: "Page" in started.shown, within=60, what="the page's address")
        wait_for(
            lambda: len(started.get("/cameras").json()["cameras"]) >= STARTS[command],
            within=60, what="its cameras",
        )  # fmt: skip


IN_DEMO = [command for command in README if command.startswith("curl")]


@pytest.mark.parametrize("command", IN_DEMO)
def test_a_request_of_the_readme_is_answered(running: Demo, command: str, tmp_path: Path) -> None:
    shutil.copy(scene.gym_answer(), tmp_path / "squat.mp4")
    done = run(usual(command, running).replace("r-2b91", a_reference(running)), tmp_path)
    assert done.returncode == 0, done.stderr
    if "--output" in command:
        assert (tmp_path / "front.jpg").read_bytes().startswith(b"\xff\xd8")
    else:
        assert done.stdout.startswith("{")


def test_the_program_of_the_readme_prints_scores(running: Demo) -> None:
    (program,) = blocks("README.md", "python")
    with subprocess.Popen(
        [sys.executable, "-u", "-c", usual(program, running)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        process.kill()
        process.communicate()
    assert re.match(r"(not_visible|ready|tracking|hold|lost|rest|done|no_reference) ", line), line


CONTAINERS = [
    "make up",
    "docker compose up --detach --wait --scale pose=3",
    "docker compose logs demo",
    "make down",
]


@pytest.mark.docker
@pytest.mark.timeout(1800)
def test_the_readme_runs_in_containers() -> None:
    require(compose_answers(), "no Docker engine with Compose v2 here")
    settings = {"COMPOSE_PROJECT_NAME": PROJECT, "KOMI_PORT": str(free_port()), "KOMI_TAG": "test"}
    assert [command for command in README if command in CONTAINERS] == CONTAINERS, "in this order"
    try:
        for command in CONTAINERS:
            done = subprocess.run(
                ["bash", "-c", command], cwd=CHECKOUT, env={**os.environ, **settings}, check=False,
                capture_output=True, text=True, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            if command == "make up":
                assert f"http://127.0.0.1:{settings['KOMI_PORT']}/ui/" in done.stdout
            if "logs" in command:
                assert "follows reference" in done.stdout
    finally:
        subprocess.run(
            ["docker", "compose", "down", "--volumes"], cwd=CHECKOUT, env={**os.environ, **settings}, check=False,
            capture_output=True,
        )  # fmt: skip


@pytest.mark.parametrize(
    "document",
    ["README.md", "README.ko.md", *(f"docs/{path.name}" for path in (CHECKOUT / "docs").glob("*.md"))],
)
def test_links_lead_somewhere(document: str) -> None:
    assert not [str(target) for target in links(document) if not target.exists()]
