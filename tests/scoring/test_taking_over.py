"""What a successor is told is written once a second; what was scored since then is looked at again."""

import orjson
import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.library.stored import Stored
from services.scoring.live.session import Rules
from services.scoring.reference.building import build_template
from services.scoring.reports import messages
from services.scoring.reports.kept import KeptReport
from services.scoring.reports.performance import Performance
from services.scoring.sessions.ledger import Note
from services.scoring.sessions.scribe import NOTED_S, Scribe
from services.scoring.sessions.worker import LOOK_BACK
from tests.scoring.mesh import synced_set
from tests.scoring.puppet import sets, squat, squats, waves

TIMES, DEPTH = waves(3)
SETS = [
    synced_set(one, n).SerializeToString() for n, one in enumerate(sets([squat(d) for d in DEPTH], TIMES))
]


class Desk:
    """Keeps the notes as Redis would, and how many sets had been scored when the last one was written."""

    def __init__(self) -> None:
        self.noted = 0
        self.note = Note({}, "", [])
        self.kept: KeptReport | None = None
        self.notes = 0

    def take(self, note: Note, scored: int) -> None:
        self.note, self.noted, self.notes = note, scored, self.notes + 1
        for change in note.reports:
            before = None if change.begins else self.kept
            points = [] if before is None or change.anew else before.points
            self.kept = KeptReport(
                change.report_id,
                "live",
                change.about,
                change.state,
                points + change.points,
                (before.repetitions if before else []) + change.repetitions,
                (before.cues if before else []) + change.cues,
            )


@pytest.fixture(scope="module")
def reference() -> Stored:
    return Stored("ref-1", 1, "Squat", 0, build_template(squats(3), "squat"))


def performed(reference: Stored, cuts: tuple[int, ...]) -> tuple[Desk, list[bytes], Performance]:
    """All sets, by a new scribe after each cut; the report at the end, with what is not noted yet."""
    desk, repetitions = Desk(), []
    scribe = Scribe(reference, Rules())
    for number, data in enumerate(SETS):
        if number in cuts:
            scribe = Scribe(reference, Rules())
            scribe.resume(SETS[:number], desk.note.state, desk.kept, unreported=number - desk.noted)
        written = scribe.write([data])
        repetitions += written.repetitions
        assert written.note is not None or not written.repetitions
        if written.note is not None:
            desk.take(written.note, number + 1)
    assert scribe._recorder is not None
    desk.take(scribe._note(), len(SETS))
    assert desk.kept is not None
    return desk, repetitions, messages.performance(desk.kept)


def test_a_note_is_written_once_a_second_and_with_every_repetition(reference: Stored) -> None:
    desk, repetitions, _ = performed(reference, ())
    assert len(repetitions) == 3
    # And once each when the report begins and at the end, which a test asks for.
    assert desk.notes <= (TIMES[-1] - TIMES[0]) / NOTED_S + len(repetitions) + 3


@pytest.mark.parametrize("first", [40, 55, 77, 130, 200, 251])
def test_whoever_takes_over_between_two_notes_loses_nothing_and_counts_nothing_twice(
    reference: Stored, first: int
) -> None:
    _, one, whole = performed(reference, ())
    _, other, pieces = performed(reference, (first, first + 7, first + 60))
    assert other == one
    assert pieces.repetitions == whole.repetitions == 3
    assert pieces.start_s == whole.start_s
    assert pieces.active_s == pytest.approx(whole.active_s, abs=0.2)
    assert pieces.mean("course") == pytest.approx(whole.mean("course"), abs=0.5)


def test_the_live_score_goes_on_though_the_last_repetition_is_longer_ago_than_a_successor_looks_back(
    reference: Stored,
) -> None:
    """Half the live score is the last repetition's, whose verdict a successor did not know until the next one ended."""
    times, depth = waves(2, period_s=14.0)
    cut, end = 27 * 30, 27 * 30 + 10
    shallow = sets([squat(0.5 * d) for d in depth[:end]], times[:end])
    slow = [synced_set(one, n).SerializeToString() for n, one in enumerate(shallow)]
    first, second = Scribe(reference, Rules()), Scribe(reference, Rules())
    notes = [first.write([data]).note for data in slow[:cut]]
    last = [note for note in notes if note is not None][-1]
    # As it lies in Redis.
    state = orjson.loads(orjson.dumps(last.state, option=orjson.OPT_SERIALIZE_NUMPY))
    second.resume(slow[cut - LOOK_BACK : cut], state, None)
    whole, taken_over = (
        [pb.ScoreUpdate.FromString(one) for one in scribe.write(slow[cut:]).updates]
        for scribe in (first, second)
    )
    assert {one.repetitions for one in whole + taken_over} == {1}
    assert [one.score for one in taken_over] == pytest.approx([one.score for one in whole], abs=0.5)
    assert taken_over[0].sub_scores == whole[0].sub_scores


@pytest.mark.parametrize("latest", [None, [], {"score": 80.0}, "none"])
def test_a_verdict_that_cannot_be_read_is_waited_for(reference: Stored, latest: object) -> None:
    scribe = Scribe(reference, Rules())
    scribe.resume([], {"latest": latest}, None)
    update = pb.ScoreUpdate.FromString(scribe.write(SETS[:1]).updates[0])
    assert not update.HasField("sub_scores")
