"""What KOMI knows of exercises: every file whole, in both languages, and found by its names."""

import re
from pathlib import Path

import pytest

from komi.scoring.v1 import scoring_service_pb2 as pb
from services.scoring.advice import knowledge
from services.scoring.advice.knowledge import BadData, Exercise, Text, canonical, exercise, exercises
from services.scoring.reference.template import Kind
from tests.scoring.mesh import running

WANTED = {
    "squat", "lunge", "push_up", "shoulder_press", "biceps_curl", "plank", "jumping_jack", "lateral_raise",
    "knee_raise", "bridge", "deadlift", "sit_up",
}  # fmt: skip
HANGUL = re.compile("[가-힣]")
LONGEST = 120
UNSAID = re.compile(r"diagnos|treat|cure|heal|therap|injur|진단|치료|완치|예방|부상|재활", re.IGNORECASE)
"""General fitness advice only (the safety rules of docs/advice.md)."""


def all_texts(one: Exercise) -> list[Text]:
    lists = (one.steps, one.mistakes, one.safety, one.tips)
    return [one.name, one.summary, one.camera, *(text for texts in lists for text in texts)]


def test_the_usual_exercises_are_known_in_a_fixed_order() -> None:
    names = [one.exercise for one in exercises()]
    assert set(names) >= WANTED
    assert [one.order for one in exercises()] == list(range(1, len(names) + 1))
    plank = exercise("plank")
    assert plank is not None
    assert plank.kind is Kind.HOLD


@pytest.mark.parametrize("one", exercises(), ids=lambda one: one.exercise)
def test_every_exercise_is_told_whole_in_both_languages(one: Exercise) -> None:
    assert len(one.steps) >= 4
    assert min(len(one.mistakes), len(one.safety)) >= 3
    assert len(one.tips) >= 4
    for text in all_texts(one):
        assert HANGUL.search(text.ko), text
        assert not HANGUL.search(text.en), text
        assert max(len(text.ko), len(text.en)) <= LONGEST, text
    for text in all_texts(one)[1:]:
        assert text.ko.endswith("요."), f"not polite: {text.ko}"
        assert text.en.endswith("."), text.en


@pytest.mark.parametrize("one", exercises(), ids=lambda one: one.exercise)
def test_every_exercise_says_when_to_stop_and_promises_no_cure(one: Exercise) -> None:
    assert "통증" in one.safety[0].ko
    assert "pain" in one.safety[0].en
    for text in all_texts(one):
        assert not UNSAID.search(text.ko + text.en), text


def test_tips_for_any_exercise_are_told_in_both_languages() -> None:
    assert len(knowledge.general_tips()) >= 4
    for text in knowledge.general_tips():
        assert HANGUL.search(text.ko)
        assert not HANGUL.search(text.en)


def test_no_name_stands_for_two_exercises() -> None:
    names = [name for one in exercises() for name in (one.exercise, *one.also)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("curl", "biceps_curl"),
        ("Push-Ups", "push_up"),
        (" jumping jacks ", "jumping_jack"),
        ("squat", "squat"),
        ("tai chi", "tai_chi"),
        ("", "any"),
    ],
)
def test_an_exercise_is_found_by_any_of_its_names(written: str, meant: str) -> None:
    assert canonical(written) == meant


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "no mapping"),
        ("name: {ko: 가, en: a}", "lacks"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_file_that_is_not_whole_is_named_in_the_error(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadData, match=f"broken.yaml.*{said}"):
        knowledge.read(path)


async def test_every_exercise_is_listed_by_the_service(redis_url: str) -> None:
    async with running(redis_url) as service:
        answer = await service.stub.ListExercises(pb.ListExercisesRequest())
    assert [one.exercise for one in answer.exercises] == [one.exercise for one in exercises()]
    for one in answer.exercises:
        assert one.name.ko
        assert one.steps[0].en
        assert one.camera.ko
