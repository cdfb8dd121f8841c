"""A busy sync lets senders gather poses; an idle one wants each at once."""

import pytest

from services.sync.load import FULL, IDLE, LONGEST_US, PERIOD_S, Load


def _after(share: float, periods: int = 20) -> int:
    load = Load(100.0, 7.0)
    for n in range(1, periods):
        load.gather_us(100.0 + n * PERIOD_S, 7.0 + n * PERIOD_S * share)
    return load.gather_us(100.0 + periods * PERIOD_S, 7.0 + periods * PERIOD_S * share)


def test_nobody_waits_for_an_idle_process_and_all_wait_the_longest_for_a_full_one() -> None:
    assert _after(0.0) == _after(IDLE - 0.05) == 0
    assert _after(1.0) == _after(1.4) == LONGEST_US


def test_the_busier_it_is_the_longer_they_wait() -> None:
    waits = [_after(IDLE + (FULL - IDLE) * n / 4) for n in range(5)]
    assert waits == sorted(set(waits))
    assert waits[2] == pytest.approx(LONGEST_US / 2, rel=0.01)


def test_what_was_long_ago_is_forgotten_by_the_next_question() -> None:
    load = Load(0.0, 0.0)
    for n in range(1, 20):
        load.gather_us(n * PERIOD_S, n * PERIOD_S)
    assert load.gather_us(60.0, 10.0) == 0
