"""The demo's line a second: what the newest messages of a session say, in words."""

from demo.stage import Glance


def test_a_glance_tells_cameras_state_score_repetitions_latency_and_advice() -> None:
    glance = Glance()
    assert glance.line() == "no camera yet │ waiting for poses │ score – │ 0 repetitions │ – ms"
    glance.take({"type": "status", "cameras": [
        {"camera_id": "front", "fps": 29.8, "connected": True}, {"camera_id": "gone", "fps": None, "connected": False},
    ]})  # fmt: skip
    glance.take(
        {
            "type": "poses",
            "cameras": [{"camera_id": "front", "image_px": [1.0]}],
            "stages_ms": {"pushed": 31.2},
        }
    )
    glance.take({"type": "repetition", "score": 91.4})
    glance.take({
        "type": "score", "state": "not_visible", "score": 87.2, "repetitions": 1, "cue": {"text_en": "Sit back."},
        "stages_ms": {"pushed": 38.4},
    })  # fmt: skip
    assert glance.line() == (
        "front 30 fps │ not visible │ score 87 │ 1 repetition, the last 91 │ 38 ms │ Sit back."
    )


def test_a_camera_that_sees_nobody_says_so() -> None:
    glance = Glance()
    glance.take({"type": "status", "cameras": [{"camera_id": "side", "fps": 15.0, "connected": True}]})
    glance.take({"type": "poses", "cameras": [{"camera_id": "side", "image_px": None}], "stages_ms": None})
    assert glance.line().startswith("side 15 fps (nobody)")
