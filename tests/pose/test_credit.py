"""Credit goes back seldom, is never lost, and never runs out for who heeds it."""

from hypothesis import given
from hypothesis import strategies as st

from services.pose.credit import LONGEST_NS, Credit

MS = 1_000_000


def test_credit_goes_back_when_the_client_has_none_left_and_all_at_once() -> None:
    credit = Credit(3, 0)
    given_back = []
    for number in range(1, 10):
        credit.arrived()
        given_back.append(credit.answered(number * MS, idle=True))
    assert given_back == [0, 0, 3] * 3


def test_a_slow_camera_hears_of_its_credit_twice_a_second() -> None:
    """With the credit travels the rate that is of use: a camera that was slowed down must learn that it may go faster."""
    credit = Credit(8, 0)
    credit.arrived()
    assert credit.answered(LONGEST_NS - 1, idle=True) == 0
    credit.arrived()
    assert credit.answered(LONGEST_NS, idle=True) == 2


def test_the_credit_of_displaced_frames_waits_until_pose_is_idle() -> None:
    credit = Credit(2, 0)
    credit.arrived()
    credit.arrived()
    credit.displaced()
    assert credit.answered(MS) == 1
    for number in range(2, 10):
        credit.arrived()
        assert credit.answered(number * MS) == 1, "one frame at a time: each that is sent is looked at"
    credit.arrived()
    assert credit.answered(10 * MS, idle=True) == 2


@given(
    window=st.integers(1, 8),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 700), st.booleans()), max_size=60),
)
def test_a_client_that_heeds_its_credit_never_waits_for_nothing(
    window: int, steps: list[tuple[bool, int, bool]]
) -> None:
    """A lane of one waiting frame, of which the newest wins, as pose has; steps: send or answer, pause, idle."""
    credit, now, has, here = Credit(window, 0), 0, window, 0
    for send, pause, idle in steps:
        now += pause * MS
        if send and has:
            has -= 1
            credit.arrived()
            if here == 2:
                credit.displaced()
            else:
                here += 1
        elif here:
            here -= 1
            has += credit.answered(now, idle=idle)
        assert has + here > 0, "it may send, or will hear from us"
        assert has <= window
