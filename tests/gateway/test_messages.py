"""The shapes of messages are those of docs/api.md, to the field."""

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.frames import Frame, Opcode

from komi.common.v1 import frame_pb2
from komi.pose.v1 import pose_service_pb2
from komi.scoring.v1 import scoring_service_pb2 as scoring
from komi.sync.v1 import sync_service_pb2
from services.gateway.fanout.feed import events_of
from services.gateway.shaping import comparisons, exercises, kept, poses, records, references, reports, scores
from services.gateway.shaping.encoding import text_frame, to_json
from services.gateway.shaping.stages import seconds_until_pushed, stages_ms, stamped
from services.mesh.sessions import SessionConfig
from services.mesh.stages import HOST_ID
from services.mesh.times import to_timestamp
from tests.gateway.door import a_frame, a_set, an_update

API = Path(__file__).parents[2] / "docs" / "api.md"


def documented() -> list[dict[str, Any]]:
    """Every JSON example of the document."""
    blocks = re.findall(r"^ *```json\n(.*?)^ *```", API.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [json.loads(block) for block in blocks]


def example(kind: str) -> dict[str, Any]:
    """The first example of a message type."""
    return next(document for document in documented() if document.get("type") == kind)


def sent(document: object) -> Any:
    """What a client reads."""
    return orjson.loads(to_json(document))


def shape(value: Any) -> Any:
    """Names and nesting without the values; a list has the shape of its first element, null fits anything."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict | list) else []
    return None


def same_fields(message: Any, told: Any, path: str = "") -> None:
    """`message` has exactly the fields the document tells, at every depth where both have a value."""
    if (
        isinstance(message, dict)
        and isinstance(told, dict)
        and not path.endswith(("stages_ms", "dropped", "lag_us"))
    ):
        assert set(message) == set(told), path
        for name in message:
            same_fields(message[name], told[name], f"{path}.{name}")
    elif isinstance(message, list) and isinstance(told, list) and message and told:
        same_fields(message[0], told[0], f"{path}[]")


def test_every_example_of_the_document_is_json() -> None:
    assert len(documented()) > 20


def test_a_poses_message_has_the_documented_fields() -> None:
    synced = a_set(812, a_frame("front"), a_frame("side", person=False))
    synced.missing.add(camera_id="back", reason=3)
    synced.fused.world_m.extend([float("nan")] * 99)
    synced.fused.confidence.extend([0.5] * 33)
    message = sent(poses.poses_message(synced, stamped(synced.stamps, 1, HOST_ID)))
    same_fields(message, example("poses"))
    front, side = message["cameras"]
    assert front["image_px"][:2] == [100.1, 200.5]
    assert [len(front[name]) for name in ("image_px", "image_normalised", "world_m", "visibility")] == [
        66,
        99,
        99,
        33,
    ]
    assert side["image_px"] is None
    assert message["missing"] == [{"camera_id": "back", "reason": "late"}]
    assert message["fused"]["world_m"][0] is None


def test_score_repetition_and_advice_have_the_documented_fields() -> None:
    update = an_update(812, completes=3, cue="squat.knees.in.out")
    update.notice.CopyFrom(scoring.Notice(code="unlike_reference"))
    same_fields(sent(scores.score_message(update, update.stamps)), example("score"))
    events, cue = events_of(update, None)
    assert [topic for topic, _ in events] == ["repetition", "advice"]
    for topic, document in events:
        same_fields(sent(document), example(topic))
    assert events_of(an_update(813, cue="squat.knees.in.out"), cue) == ([], cue)


def test_praise_for_what_was_just_told_of_the_same_pose_is_another_cue() -> None:
    """In a held pose no repetition tells the two apart, so praise was never pushed."""
    told = an_update(812, cue="plank.hips.sag.any")
    _, cue = events_of(told, None)
    told.advice.praise = True
    assert [topic for topic, _ in events_of(told, cue)[0]] == ["advice"]


def test_a_status_message_has_the_documented_fields() -> None:
    told = sync_service_pb2.GetSessionStatusResponse(
        session_id="live",
        watermark=to_timestamp(1),
        cameras=[sync_service_pb2.CameraStatus(camera_id="front")],
    )
    told.alarms.add(camera_id="side").lag.FromMilliseconds(44)
    told.cameras[0].clock.CopyFrom(frame_pb2.ClockStatus(offset_us=-120))
    camera = pose_service_pb2.Camera(camera_id="front", session_id="live", dropped={"superseded": 3})
    status = records.status(SessionConfig("live"), [camera], told, viewers=2, server_us=1, problems=[])
    same_fields(status.model_dump(mode="json"), example("status"))


def test_rest_documents_have_the_documented_fields() -> None:
    told = documented()
    camera = pose_service_pb2.Camera(camera_id="front", last_frame_time=to_timestamp(1))
    same_fields(records.camera(camera).model_dump(), next(d for d in told if "connected_us" in d))
    same_fields(
        records.session(SessionConfig("s")).model_dump(),
        next(d for d in told if "ended_us" in d and "mode" in d),
    )
    reference = scoring.Reference(
        view_degrees=float("nan"), ghost=[0.5] * 132, curves=[scoring.Curve(name="left_knee", degrees=[1.0])]
    )
    document = references.reference(reference).model_dump()
    same_fields(document, next(d for d in told if "ghost" in d))
    assert document["view_degrees"] is None
    assert [len(row) for row in document["ghost"]] == [66, 66]


def test_a_report_a_comparison_and_an_exercise_have_the_documented_fields() -> None:
    told = documented()
    done = scoring.Repetition(
        number=1, faults=["squat.knees.in.out"], cue=scoring.Advice(code="squat.knees.in.out"),
        start_time=to_timestamp(3_500_000),
    )  # fmt: skip
    report = reports.report(
        scoring.Report(
            report_id="p-1",
            start_time=to_timestamp(2_000_000),
            repetitions=[done],
            timeline=[scoring.TimelinePoint(score=82)],
            top_errors=[scoring.TopError(joint="left_knee")],
            cues=[scoring.GivenCue(advice=done.cue)],
        )
    )
    same_fields(report.model_dump(), next(d for d in told if "fatigue" in d))
    repetition = report.model_dump()["repetitions"][0]
    same_fields(repetition | {"type": 0, "session_id": 0, "seq": 0, "server_us": 0}, example("repetition"))
    lines = reports.repetitions_table(report).splitlines()
    assert lines[0].split(",") == list(reports.REPETITION_COLUMNS)
    assert lines[1].startswith("1,")
    assert lines[1].endswith("squat.knees.in.out,squat.knees.in.out,1.5")
    compared = comparisons.comparison(
        scoring.Comparison(
            reference=scoring.Reference(name="Squat"),
            frames=[
                scoring.ComparedFrame(sample_frame=31.5, joint_errors=[scoring.JointError(joint="left_knee")])
            ],
            curves=[scoring.ComparedCurve(name="left_knee", attempt_degrees=[1.0, float("nan")])],
            notices=[scoring.Notice(code="unlike_reference")],
        )
    ).model_dump()
    shown = next(d for d in told if "attempt_fps" in d)
    same_fields({**compared, "reference": None}, shown)
    assert compared["curves"][0]["attempt_degrees"] == [1.0, None]
    exercise = exercises.exercise(scoring.Exercise(exercise="squat", steps=[scoring.BilingualText(ko="가")]))
    same_fields(exercise.model_dump(), next(d for d in told if "mistakes" in d))


def test_kept_messages_have_their_exact_shapes() -> None:
    frame = a_frame()
    assert shape(kept.frame_processed("front", 1616161616.123, frame)) == shape(example("frame_processed"))
    update = kept.status_update(frame)
    assert shape(update) == shape(example("status_update"))
    keypoints = update["pose_data"]["pose"][0]["keypoints"]
    assert [point["id"] for point in keypoints] == list(range(33))
    assert keypoints[0] == {"id": 0, "x": 100.1, "y": 200.5, "confidence": 0.9}
    assert kept.pose_data(a_frame(person=False), 1.5) == {"pose": [], "timestamp": 1.5}


def test_stages_on_a_machine_that_cannot_be_compared_are_left_out() -> None:
    stamps = frame_pb2.StageStamps(
        captured_monotonic_ns=1_000_000,
        capture_host_id=1,
        received_monotonic_ns=4_000_000,
        pose_host_id=1,
        synced_monotonic_ns=9_000_000,
        sync_host_id=2,
    )
    pushed = stamped(stamps, 11_000_000, 1)
    assert stages_ms(pushed) == {"received": 3.0, "pushed": 10.0}
    assert seconds_until_pushed(pushed, "captured", "capture") == pytest.approx(0.010)
    assert seconds_until_pushed(pushed, "synced", "sync") is None
    assert stages_ms(frame_pb2.StageStamps(received_monotonic_ns=1)) == {}


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_frame_made_by_hand_is_what_a_websocket_library_makes(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
