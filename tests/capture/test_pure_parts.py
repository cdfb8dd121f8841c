"""The small pure parts: sizes, pace, back-off, quality, numbering."""

import itertools
import random
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.capture.backoff import Backoff
from services.capture.encoding import encode, encode_within
from services.capture.frames import Frame, Handover, Jpeg, Numbering
from services.capture.jpeg import CameraJpeg, ready_to_send
from services.capture.pace import Pacer, RateMeter
from services.capture.quality import QualityControl
from services.capture.sizing import fit, fit_pixels, shrink


# ---------------------------------------------------------------- sizes
@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(16, 4096), st.integers(16, 4096))
def test_a_picture_keeps_its_aspect_fits_the_box_and_is_never_enlarged(
    w: int, h: int, bw: int, bh: int
) -> None:
    width, height = fit(w, h, bw, bh)
    assert 1 <= width <= min(w, bw)
    assert 1 <= height <= min(h, bh)
    assert width in (1, bw, w) or height in (1, bh, h)
    # Within rounding of either side.
    assert abs(width / w - height / h) <= max(0.5 / w, 0.5 / h) + 1 / min(w, h)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 10_000_000))
def test_a_limit_of_pixels_is_kept(w: int, h: int, most: int) -> None:
    width, height = fit_pixels(w, h, most)
    assert width * height <= max(most, w, h)
    assert width <= w
    assert height <= h


@pytest.mark.parametrize("size", [(640, 480), (320, 240), (427, 240), (100, 75), (639, 479)])
def test_shrinking_keeps_brightness_and_gives_the_size(size: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0, 255, 1280, dtype=np.uint8)[None, :, None], (960, 1, 3))
    small = shrink(ramp, *size)
    assert (small.shape[1], small.shape[0]) == size
    assert abs(float(small.mean()) - float(ramp.mean())) < 1
    assert small.flags.c_contiguous


def test_shrinking_shows_no_aliasing() -> None:
    stripes = np.zeros((960, 1280, 3), np.uint8)
    stripes[:, ::2] = 255
    small = shrink(stripes, 320, 240)
    assert int(small.max()) - int(small.min()) <= 2


# ---------------------------------------------------------------- pace
def taken(stamps_ns: list[int], fps: float) -> list[int]:
    pacer = Pacer()
    return [n for n, at_ns in enumerate(stamps_ns) if pacer.take(at_ns, fps)]


def stamps(fps: float, seconds: float, jitter_s: float = 0.0, seed: int = 1) -> list[int]:
    rng = random.Random(seed)
    return [
        round((n / fps + rng.uniform(-jitter_s, jitter_s) + 100) * 1e9) for n in range(round(fps * seconds))
    ]


@pytest.mark.parametrize(
    ("source", "target", "every"), [(60, 15, 4), (60, 30, 2), (30, 15, 2), (30, 10, 3), (50, 25, 2)]
)
def test_a_whole_ratio_takes_every_nth_frame(source: int, target: int, every: int) -> None:
    assert taken(stamps(source, 10), target) == list(range(0, source * 10, every))


@pytest.mark.parametrize("fps", [24, 29.97, 30, 30.03, 60])
def test_a_source_of_the_rate_asked_for_loses_next_to_nothing_to_jitter(fps: float) -> None:
    target = round(fps)
    kept = taken(stamps(fps, 60, jitter_s=0.2 / fps), target)
    assert len(kept) >= 0.99 * min(fps, target) * 60


@given(st.floats(1, 120), st.floats(1, 60), st.integers(0, 1000))
def test_no_more_frames_come_than_asked_for(source: float, target: float, seed: int) -> None:
    kept = taken(stamps(source, 20, jitter_s=0.1 / source, seed=seed), target)
    assert len(kept) <= 20 * target + 3
    assert len(kept) >= 0.9 * 20 * min(source, target) - 3


def test_frames_come_evenly() -> None:
    at = stamps(60, 20)
    kept = taken(at, 25)
    gaps = {round((at[b] - at[a]) / 1e6) for a, b in itertools.pairwise(kept)}
    assert gaps <= {33, 50}


def test_cameras_that_are_thinned_send_the_frames_nearest_to_the_same_instants() -> None:
    cameras = [
        [round(start_s * 1e9) + at for at in stamps(60, 10, jitter_s=0.001)]
        for start_s in (0.0, 0.005, 0.041)
    ]
    sent = [[at[n] for n in taken(at, 15)][1:-1] for at in cameras]
    for at in sent[0][1:-1]:
        assert all(min(abs(at - other) for other in others) < 0.020e9 for others in sent[1:])


def test_cameras_whose_rate_is_changed_at_different_moments_agree_again() -> None:
    at = stamps(60, 10)
    kept = []
    for changed in (100, 107):
        pacer = Pacer()
        kept.append({n for n, t in enumerate(at) if pacer.take(t, 15 if n < changed else 5)})
    assert {n for n in kept[0] if n > 125} == {n for n in kept[1] if n > 125}


def test_a_pause_of_the_source_is_no_debt() -> None:
    at = [*stamps(30, 2), *(ns + 10_000_000_000 for ns in stamps(30, 2))]
    kept = taken(at, 15)
    assert len(kept) == 60


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter()
    assert meter.sample(0.0, 0) == 0.0
    rates = [meter.sample(tick * 0.5, tick * 15) for tick in range(1, 20)]
    assert rates[-1] == pytest.approx(30)
    rates = [meter.sample(tick * 0.5, 19 * 15) for tick in range(20, 30)]
    assert rates[-1] == 0.0


# ---------------------------------------------------------------- back-off
def test_pauses_grow_are_jittered_and_never_exceed_the_longest() -> None:
    backoff = Backoff(0.1, 2.0, random.Random(3))
    pauses = [backoff.next() for _ in range(40)]
    assert all(pause <= 2.0 for pause in pauses)
    assert pauses[0] <= 0.1
    assert min(pauses[8:]) >= 1.0
    assert len(set(pauses[8:])) > 20
    backoff.reset()
    assert backoff.next() <= 0.1


# ---------------------------------------------------------------- quality
PERIOD_S = 1 / 15


def test_quality_falls_while_a_queue_stands_on_the_link_and_rises_again_when_it_is_gone() -> None:
    control = QualityControl()
    control.round_trip(0.002, PERIOD_S)
    for _ in range(40):
        control.round_trip(0.150, PERIOD_S)
    assert control.quality == 50
    for _ in range(120):
        control.round_trip(0.003, PERIOD_S)
    assert control.quality == 90


def test_a_busy_machine_that_delays_some_answers_does_not_cost_quality() -> None:
    control = QualityControl()
    for n in range(200):
        control.round_trip(0.002 if n % 4 == 0 else 0.120, PERIOD_S)
    assert control.quality == 90


def test_a_transport_that_is_full_for_every_frame_costs_quality() -> None:
    control = QualityControl()
    for _ in range(6):
        control.written(0.2, PERIOD_S)
    assert control.quality == 64
    for _ in range(60):
        control.written(0.0, PERIOD_S)
    assert control.quality == 64


def test_another_link_is_judged_by_its_own_round_trip() -> None:
    control = QualityControl()
    for _ in range(6):
        control.round_trip(0.001, PERIOD_S)
    control.new_link()
    for _ in range(60):
        control.round_trip(0.120, PERIOD_S)
    assert control.quality == 90


def test_fewer_probes_do_once_quality_is_as_high_as_it_goes_and_until_one_meets_a_queue() -> None:
    control = QualityControl()
    for _ in range(30):
        assert control.calm == (control.quality == 90)
        control.round_trip(0.001, 0.1)
    calm = [control.calm]
    for round_trip_s in (0.1, 0.001):
        control.round_trip(round_trip_s, 0.1)
        calm.append(control.calm)
    assert calm == [True, False, True]


def test_a_queue_that_ends_a_calm_is_judged_by_the_burst_it_brings_about() -> None:
    control = QualityControl()
    for _ in range(24 + 3):  # raised to 90, and three probes of a calm
        control.round_trip(0.001, 0.1)
    assert control.calm
    for _ in range(6):
        control.round_trip(0.1, 0.1)
    assert control.quality == 72


def test_quality_stays_in_the_range_asked_for() -> None:
    control = QualityControl(85, 85)
    for _ in range(60):
        control.written(5.0, PERIOD_S)
    assert control.quality == 85


# ---------------------------------------------------------------- numbers
def test_a_restart_and_a_clock_step_each_begin_an_epoch_at_sequence_0() -> None:
    numbering = Numbering(1000)
    assert [numbering.next(0), numbering.next(0)] == [(1000, 0), (1000, 1)]
    numbering.restart()
    assert numbering.next(0) == (1001, 0)
    assert numbering.next(1) == (1002, 0)
    assert numbering.next(1) == (1002, 1)


def test_a_busy_loop_finds_the_newest_only() -> None:
    wakes: list[object] = []
    received: list[int] = []
    handover: Handover[int] = Handover(wakes.append, received.append)
    assert handover.put(1) is None
    assert handover.put(2) == 1
    assert handover.put(3) == 2
    assert len(wakes) == 1
    wakes[0]()  # type: ignore[operator]
    assert received == [3]
    assert handover.put(4) is None
    assert len(wakes) == 2


# ---------------------------------------------------------------- JPEG
def jpeg_of(width: int, height: int, how: Sequence[int] = ()) -> bytes:
    picture = np.full((height, width, 3), 90, np.uint8)
    good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90, *how])
    assert good
    return data.tobytes()


@pytest.mark.parametrize("how", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_OPTIMIZE, 1)])
def test_a_whole_jpeg_is_handed_on_as_it_is_without_what_follows_its_end(how: Sequence[int]) -> None:
    data = jpeg_of(40, 24, how)
    assert ready_to_send(data) == CameraJpeg(data, 40, 24)
    assert ready_to_send(data + bytes(100)) == CameraJpeg(data, 40, 24)


def test_a_jpeg_that_must_be_unpacked_first_is_not_handed_on() -> None:
    data = jpeg_of(40, 24)
    exif = b"\xff\xe1\x00\x10Exif\0\0" + bytes(8)
    assert ready_to_send(data[:2] + exif + data[2:]) is None
    assert ready_to_send(data[: len(data) // 2]) is None
    assert ready_to_send(data.replace(b"\xff\xc4", b"\xff\xe9")) is None  # no Huffman tables
    assert ready_to_send(data[:-2] + bytes(5000) + data[-2:]) is None  # needlessly large
    assert ready_to_send(b"") is None
    assert ready_to_send(b"\x89PNG") is None


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_look_at_a_jpeg(tail: bytes) -> None:
    found = ready_to_send(b"\xff\xd8" + tail)
    assert found is None or found.width * found.height > 0


def test_a_camera_s_own_jpeg_is_unpacked_only_if_the_server_wants_it_smaller() -> None:
    data = jpeg_of(640, 480)
    own = Frame(1, 2, None, captured_ns=3, stamp_ns=4, jpeg=Jpeg(data, (640, 480), 5))
    assert own.size == (640, 480)
    assert encode_within(own, 80, 1 << 20, 640 * 480) == own
    small = encode_within(own, 80, 1 << 20, 320 * 240)
    assert small is not None
    assert small.size == (320, 240)
    damaged = Frame(1, 2, None, captured_ns=3, stamp_ns=4, jpeg=Jpeg(b"no JPEG", (640, 480), 5))
    assert encode_within(damaged, 80, 1 << 20, 320 * 240) is None


def noisy_frame(width: int, height: int) -> Frame:
    image = np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Frame(1, 2, image, captured_ns=3, stamp_ns=4)


def test_a_frame_too_large_for_the_server_is_made_coarser_then_smaller() -> None:
    frame = noisy_frame(640, 480)
    usual = encode(frame, 80)
    assert usual.jpeg is not None
    fitting = encode_within(usual, 80, len(usual.jpeg.data) // 2, 10_000_000)
    assert fitting is not None
    assert fitting.jpeg is not None
    assert len(fitting.jpeg.data) <= len(usual.jpeg.data) // 2
    assert fitting.size == (640, 480)
    small = encode_within(usual, 80, 1 << 20, 320 * 240)
    assert small is not None
    assert small.size == (320, 240)
    assert encode_within(usual, 80, 1000, 10_000_000) is None
