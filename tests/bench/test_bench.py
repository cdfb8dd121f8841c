"""The short form of `make bench`: ratios within one run, with room for a machine that has other things to do."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench import curves, diff, report
from bench.clips import at_rate
from bench.overload import CAMERAS, Flooded
from bench.run import Plan, run
from bench.stages import Stages
from bench.usage import Spent
from bench.viewer import Seen
from demo.fetch import FetchError, recording
from komi.common.v1 import frame_pb2
from services.pose.models import ModelError, task_path
from tests.support.capabilities import require

PLAN = Plan(
    cameras=2, fps=5, model="lite", seconds=3, phases=("latency", "former"), reference=False, warm_up_s=3
)


@pytest.fixture(scope="module")
def _recording() -> None:
    try:
        recording()
        task_path(PLAN.model)
    except (FetchError, ModelError) as missing:
        require(False, str(missing))


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_recording")
async def test_the_mesh_keeps_its_ratios_to_the_former_design_and_to_the_model(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    found = report.headed(PLAN, await run(PLAN, said.append))

    frames, stages, cost = found["frames"], found["stages"], found["cpu_ms_per_frame"]
    assert frames["out"] >= 0.5 * PLAN.cameras * PLAN.fps * PLAN.seconds
    assert frames["with_a_person"] >= 0.9 * frames["out"]
    assert {"encode", "transport", "queue", "decode", "infer", "publish", "sync", "score", "push"} <= set(
        stages
    )
    # Seen: 1.4 with the lite model. The ratios to the former design on a busy machine: 2.0 to 3.2; without the model 4.5 to 5.0.
    assert cost["mesh"] <= 4 * cost["inference"]
    assert 0.2 * cost["pose"] < cost["inference"] < cost["pose"], "counted in pose, of which it is the most"
    assert found["former_design"]["p50_times_ours"] > 0.8
    assert found["former_design"]["p50_times_ours_without_inference"] > 1.0
    # 2.1 to 3.1 % there, 710 MB.
    assert found["idle_cpu_percent_of_a_core"] < 10
    assert found["resident_memory_mb"]["total"] < 900
    for service in ("redis", "pose", "sync", "scoring", "gateway", "capture"):
        assert 0 < found["peak_memory_mb"][service] < 600

    assert "former design" in report.table(found)
    report.draw(found, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").stat().st_size > 10_000
    assert orjson.loads(orjson.dumps(found))["machine"]["cores"] >= 1
    assert "No figure differs" in diff.table(found, found)


def test_each_stage_lasts_from_one_stamp_to_the_next() -> None:
    member = frame_pb2.StageStamps(
        captured_monotonic_ns=1_000_000,
        encoded_monotonic_ns=2_000_000,
        sent_monotonic_ns=3_000_000,
        received_monotonic_ns=5_000_000,
        dequeued_monotonic_ns=8_000_000,
        decoded_monotonic_ns=9_000_000,
        inferred_monotonic_ns=20_000_000,
        ingested_monotonic_ns=22_000_000,
    )
    stages = Stages()
    stages.add_frame(member, frame_pb2.StageStamps(synced_monotonic_ns=30_000_000), 34_000_000, 41_000_000)
    found = {name: row["p50"] for name, row in stages.table().items()}
    expected = {"encode": 1, "transport": 2, "queue": 3, "decode": 1, "infer": 11, "publish": 2, "sync": 8}
    expected |= {"score": 4, "push": 7, "total": 40, "total - infer": 29}
    assert found == pytest.approx(expected, rel=0.01)


def test_a_stage_that_did_not_happen_is_left_out() -> None:
    stages = Stages()
    stages.add_frame(frame_pb2.StageStamps(captured_monotonic_ns=1), frame_pb2.StageStamps(), 0, 2_000_001)
    assert "sync" not in stages.table()
    assert stages.p("total", 50.0) == pytest.approx(2.0, rel=0.01)


def test_a_recording_played_at_any_rate_moves_at_its_own_speed_and_never_jumps() -> None:
    frames = [Path(f"{number}") for number in range(100)]
    for fps in (5.0, 10.0, 60.0, 120.0):
        played = [int(frame.name) for frame in at_rate(frames, fps)]
        assert len(played) == pytest.approx(198 / 60 * fps, abs=1)
        steps = [abs(after - before) for before, after in pairwise([*played, played[0]])]
        assert max(steps) <= math.ceil(60 / fps) + 1


def test_a_comparison_says_which_way_is_better() -> None:
    def run_of(fps: float, p99: float) -> dict[str, Any]:
        return {
            "throughput": {"mesh_fps": fps},
            "stages": {"total": {"p99": p99, "count": 3}},
            "plan": {"fps": fps},
        }

    told = diff.table(run_of(50, 40), run_of(60, 60))
    assert "throughput.mesh_fps" in told
    assert "+20% better" in told
    assert "+50% worse" in told
    assert "Not of the same plan" in told
    assert "count" not in told


def test_a_comparison_needs_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff.main([]) == 2
    assert diff.main([str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    assert "bench-diff" in capsys.readouterr().err


MS = 1_000_000


def _seen(totals_ms: list[int], by_camera: dict[str, int] | None = None, since_ms: int = 0) -> Seen:
    """Frames captured one a millisecond from `since_ms` on."""
    seen = Seen(frames=len(totals_ms), by_camera=by_camera or {})
    for number, total_ms in enumerate(totals_ms, since_ms + 1):
        stamps = frame_pb2.StageStamps(captured_monotonic_ns=number * MS)
        seen.stages.add_frame(stamps, frame_pb2.StageStamps(), 0, (number + total_ms) * MS)
    return seen


def _flooded(during_ms: list[int], after_ms: list[int], flood: list[int], sent: int) -> dict[str, Any]:
    spent = Spent(10.0, {}, 0.0, 0.0, {}, captured=10_000, sent=sent)
    cameras = {f"flood{number:02}": count for number, count in enumerate(flood, 1)}
    during = _seen(during_ms, {"cam01": 5, **cameras})
    before, after = _seen([20] * 100), _seen(after_ms, since_ms=1000)
    return Flooded(before, during, after, spent, 600.0, ended_ns=1000 * MS).figures()


def test_an_overload_that_is_fair_bounded_and_soon_over_holds_every_bar() -> None:
    figures = _flooded([50] * 100, [90] * 10 + [25] * 90, [100, 110, 105, 100], sent=110)
    assert all(figures["held"].values())
    assert figures["fairness"] == pytest.approx(1.1)
    assert figures["p99_times_unloaded"] == pytest.approx(2.5, rel=0.01)
    # The tenth frame after the end was the last that was late.
    assert figures["recovery_s"] == pytest.approx(0.1)
    told = report.table({"overload": figures})
    assert "600 frames/s offered" in told
    assert "NOT HELD" not in told


def test_each_bar_of_an_overload_can_be_missed() -> None:
    figures = _flooded([70] * 100, [3000] * 100, [100, 130, 100, 100], sent=300)
    assert not any(figures["held"].values())
    assert report.table({"overload": figures}).count("NOT HELD") == 4


def test_a_camera_that_gets_nothing_in_an_overload_is_not_fair() -> None:
    figures = _flooded([20] * 100, [20] * 10, [100] * (CAMERAS - 1), sent=100)
    assert figures["fairness"] is None
    assert not figures["held"]["fairness"]
    assert "NOT HELD" in report.table({"overload": figures})


def test_a_curve_says_what_each_more_costs_and_how_straight_it_is(tmp_path: Path) -> None:
    def point(number: int) -> dict[str, Any]:
        cores = dict.fromkeys(curves.SERVICES, 0.01 + 0.02 * number)
        return {"number": number, "cores": {**cores, "total": 0.06 + 0.12 * number}}

    found = {"cameras": curves.curve([point(number) for number in curves.CAMERAS])}
    line = found["cameras"]["lines"]["sync"]
    assert line["cores_at_none"] == pytest.approx(0.01)
    assert line["cores_each"] == pytest.approx(0.02)
    assert line["r2"] == pytest.approx(1.0)
    assert "sync 20.00" in "\n".join(curves.table(found))
    curves.draw(found, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 10_000
