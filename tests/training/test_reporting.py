"""The child's side of its reports: when it waits for the worker, and when it trains on."""

from contextlib import suppress
from queue import SimpleQueue

import pytest

from trimtab.message import Message
from workers.messages import Answer, Measured
from workers.reporting import LONG_SECONDS, Dropped, Reporting

GO_ON, STOP = Answer(go_on=True), Answer(go_on=False)
SAVE = Answer(go_on=True, save_to="/nowhere")
SHORT, LONG = LONG_SECONDS / 2, LONG_SECONDS * 2


class Inbox(SimpleQueue[bytes]):
    """Gets each answer when it is needed, or at once."""

    def __init__(self, scene: "Scene") -> None:
        self._scene = scene

    def get(self, block: bool = True, timeout: float | None = None) -> bytes:
        """Wait for the worker."""
        if self.empty():
            self._scene.answer()
        return super().get(block, timeout)


class Scene:
    """A child whose worker has these answers for it, and what passes between the two in turn."""

    def __init__(self, *answers: Answer) -> None:
        self.passed: list[int | Answer] = []
        self._answers = list(answers)
        self._now = 0.0
        self._step = 0
        self._inbox = Inbox(self)
        self.reporting = Reporting(self._say, self._inbox, clock=lambda: self._now)

    def train(self, seconds: float = SHORT) -> str | None:
        """Train for an epoch and report it; return what that leads to."""
        self._now += seconds
        self._step += 1
        return self.reporting.report(Measured(step=self._step, metrics={}))

    def answer(self) -> None:
        """Let the worker's next answer come."""
        answer = self._answers.pop(0)
        self.passed.append(answer)
        self._inbox.put(answer.model_dump_json().encode())

    def _say(self, message: Message) -> None:
        assert isinstance(message, Measured)
        self.passed.append(message.step)


def test_after_a_short_epoch_the_next_is_trained_before_the_answer_is_here() -> None:
    scene = Scene()

    save_to = scene.train()

    assert save_to is None
    assert scene.passed == [1]


def test_a_child_is_ahead_by_one_epoch_at_most() -> None:
    scene = Scene(GO_ON, GO_ON)

    for _ in range(3):
        scene.train()

    assert scene.passed == [1, GO_ON, 2, GO_ON, 3]


def test_after_a_long_epoch_the_answer_is_waited_for() -> None:
    scene = Scene(SAVE)

    save_to = scene.train(LONG)

    assert save_to == SAVE.save_to
    assert scene.passed == [1, SAVE]


def test_between_batches_nothing_is_waited_for() -> None:
    scene = Scene()
    scene.train()

    scene.reporting.heed()

    assert scene.passed == [1]


def test_a_stop_that_is_here_ends_the_epoch_between_two_batches() -> None:
    scene = Scene(STOP)
    scene.train()
    scene.answer()

    with pytest.raises(Dropped):
        scene.reporting.heed()


def test_a_stop_is_heard_once() -> None:
    scene = Scene(STOP)
    scene.train()
    scene.answer()
    with suppress(Dropped):
        scene.reporting.heed()

    scene.reporting.heed()
    scene.reporting.settle()

    assert scene.passed == [1, STOP]


def test_what_was_trained_ahead_of_a_stop_is_not_reported() -> None:
    scene = Scene(STOP)
    scene.train()

    with pytest.raises(Dropped):
        scene.train()

    assert scene.passed == [1, STOP]


@pytest.mark.parametrize("is_heard_between_batches", [True, False])
def test_a_state_is_saved_after_the_epoch_that_was_reported_last(is_heard_between_batches: bool) -> None:
    scene = Scene(SAVE, SAVE)

    first = scene.train()
    if is_heard_between_batches:
        scene.answer()
        scene.reporting.heed()
    second = scene.train()

    assert (first, second) == (None, SAVE.save_to)
    assert scene.passed == [1, SAVE, 2, SAVE]


def test_after_a_state_is_saved_a_child_is_ahead_again() -> None:
    scene = Scene(SAVE, SAVE)
    scene.train()
    scene.train()

    save_to = scene.train()

    assert save_to is None
    assert scene.passed == [1, SAVE, 2, SAVE, 3]


def test_the_answer_to_the_last_epoch_is_heard_once() -> None:
    scene = Scene(GO_ON)
    scene.train()

    scene.reporting.settle()
    scene.reporting.settle()

    assert scene.passed == [1, GO_ON]


def test_a_stop_after_the_last_epoch_is_heard() -> None:
    scene = Scene(STOP)
    scene.train()

    with pytest.raises(Dropped):
        scene.reporting.settle()
