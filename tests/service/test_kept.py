import threading

import pytest

from service.kept import MOST, Kept


def test_an_answer_is_made_once_until_a_trial_has_ended() -> None:
    kept, made = Kept(), iter(range(10))

    found = [kept.get("curves", 1, finished=finished, make=lambda: next(made)) for finished in (5, 5, 6, 6)]

    assert found == [0, 0, 1, 1]


def test_two_who_ask_at_once_get_one_answer() -> None:
    kept, begun, may_end, made = Kept(), threading.Event(), threading.Event(), list[str]()

    def slow() -> str:
        begun.set()
        may_end.wait(10)
        made.append("slow")
        return "slow"

    found: list[str] = []
    first = threading.Thread(target=lambda: found.append(kept.get("curves", 1, finished=0, make=slow)))
    first.start()
    begun.wait(10)
    second = threading.Thread(target=lambda: found.append(kept.get("curves", 1, finished=0, make=slow)))
    second.start()
    may_end.set()
    first.join(10)
    second.join(10)

    assert (found, made) == (["slow", "slow"], ["slow"])


def test_what_could_not_be_made_is_made_by_the_next() -> None:
    kept = Kept()

    def fails() -> str:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # it says nothing
        kept.get("curves", 1, finished=0, make=fails)

    assert kept.get("curves", 1, finished=0, make=lambda: "made") == "made"


def test_answers_of_other_studies_and_kinds_are_others_and_the_oldest_are_forgotten() -> None:
    kept = Kept()
    for study_id in range(MOST + 1):
        kept.get("curves", study_id, finished=0, make=lambda study_id=study_id: study_id)  # type: ignore[misc]

    assert kept.get("curves", MOST, finished=0, make=lambda: -1) == MOST
    assert kept.get("plane", MOST, finished=0, make=lambda: -1) == -1
    assert kept.get("curves", 0, finished=0, make=lambda: -1) == -1
