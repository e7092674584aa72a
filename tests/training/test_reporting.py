"""The child's side of its reports: when it waits for the worker, and when it trains on."""

from collections import deque

import pytest

from trimtab.message import Message
from workers.messages import Answer, Measured
from workers.reporting import AHEAD_SECONDS, Reporting

GO_ON, STOP = Answer(go_on=True), Answer(go_on=False)
SAVE = Answer(go_on=True, save_to="/nowhere")
SHORT, LONG = AHEAD_SECONDS / 2, AHEAD_SECONDS * 2


class Scene:
    """A child whose worker has these answers for it, and what passes between the two in turn."""

    def __init__(self, *answers: Answer) -> None:
        self.passed: list[int | Answer] = []
        self._answers = deque(answers)
        self._now = 0.0
        self._step = 0
        self.reporting = Reporting(self._say, self._hear, clock=lambda: self._now)

    def train(self, seconds: float) -> Answer:
        """Train for an epoch and report it; return what that leads to."""
        self._now += seconds
        self._step += 1
        return self.reporting.report(Measured(step=self._step, metrics={}))

    def _say(self, message: Message) -> None:
        assert isinstance(message, Measured)
        self.passed.append(message.step)

    def _hear(self) -> bytes:
        answer = self._answers.popleft()
        self.passed.append(answer)
        return answer.model_dump_json().encode()


def test_after_a_short_epoch_the_next_is_trained_before_the_answer_is_here() -> None:
    scene = Scene()

    answer = scene.train(SHORT)

    assert answer == GO_ON
    assert scene.passed == [1]


def test_a_child_is_ahead_by_one_epoch_at_most() -> None:
    scene = Scene(GO_ON, GO_ON)

    for _ in range(3):
        scene.train(SHORT)

    assert scene.passed == [1, GO_ON, 2, GO_ON, 3]


def test_after_a_long_epoch_the_answer_is_waited_for() -> None:
    scene = Scene(STOP)

    answer = scene.train(LONG)

    assert answer == STOP
    assert scene.passed == [1, STOP]


def test_what_was_trained_ahead_of_a_stop_is_not_reported() -> None:
    scene = Scene(STOP)
    scene.train(SHORT)

    answer = scene.train(SHORT)

    assert answer == STOP
    assert scene.passed == [1, STOP]


def test_a_state_is_saved_after_the_epoch_that_was_reported_last() -> None:
    scene = Scene(SAVE, SAVE)

    answers = [scene.train(SHORT), scene.train(SHORT)]

    assert answers == [GO_ON, SAVE]
    assert scene.passed == [1, SAVE, 2, SAVE]


def test_after_a_state_is_saved_a_child_is_ahead_again() -> None:
    scene = Scene(SAVE, SAVE)
    scene.train(SHORT)
    scene.train(SHORT)

    scene.train(SHORT)

    assert scene.passed == [1, SAVE, 2, SAVE, 3]


@pytest.mark.parametrize("last", [GO_ON, STOP])
def test_the_answer_to_the_last_epoch_is_heard_once(last: Answer) -> None:
    scene = Scene(last)
    scene.train(SHORT)

    answers = [scene.reporting.settle(), scene.reporting.settle()]

    assert answers == [last, GO_ON]
