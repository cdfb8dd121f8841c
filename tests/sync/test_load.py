"""A busy sync lets senders gather poses; an idle one wants each at once."""

import pytest

from services.sync.load import CURVE, PERIOD_S, Load


def _after(share: float, periods: int = 30) -> int:
    load = Load(100.0, 7.0)
    for n in range(1, periods):
        load.gather_us(100.0 + n * PERIOD_S, 7.0 + n * PERIOD_S * share)
    return load.gather_us(100.0 + periods * PERIOD_S, 7.0 + periods * PERIOD_S * share)


def test_nobody_waits_for_an_idle_process_and_all_wait_the_longest_for_a_full_one() -> None:
    assert _after(0.0) == _after(CURVE[0][0] - 0.05) == 0
    assert _after(1.0) == _after(1.4) == CURVE[-1][1]


def test_the_busier_it_is_the_longer_they_wait() -> None:
    for share, gather_us in CURVE:
        assert _after(share) == pytest.approx(gather_us, abs=5)
    waits = [_after(0.4 + n / 20) for n in range(12)]
    assert waits == sorted(set(waits))


def test_what_was_long_ago_is_forgotten_by_the_next_question() -> None:
    load = Load(0.0, 0.0)
    for n in range(1, 20):
        load.gather_us(n * PERIOD_S, n * PERIOD_S)
    assert load.gather_us(60.0, 10.0) == 0
