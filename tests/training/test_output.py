"""What a training writes goes to the service line by line, whatever becomes of the training and of the service."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import wait_for
from tests.unit.samples import LEASE
from tests.unit.stub import TOKEN, Answer, Asked, Stub, refused, said, serving
from trimtab.client import Client
from trimtab.errors import LeaseLost
from trimtab.logs import about
from trimtab.spec import TaskSpec
from trimtab.trial_logs import Logged
from workers.delivery import Delivery
from workers.messages import Ended, Measured, Order
from workers.output import Output
from workers.process import ChildDied, ChildProcess

pytestmark = pytest.mark.usefixtures("no_hurry")

WRITING = "tests.training.own_tasks:writing"
DYING = "tests.training.own_tasks:dying"


class Service:
    """Keeps lines, as soon as it may."""

    def __init__(self, stub: Stub, client: Client) -> None:
        self.client = client
        self.kept: dict[int, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.was_asked = threading.Event()
        self.answer: Answer | None = None
        self.refused = 0
        stub.answering = self._answer

    def _answer(self, asked: Asked) -> Answer:
        self.was_asked.set()
        self.may_answer.wait(120)
        if self.answer:
            self.refused += 1
            return self.answer
        first, lines = asked.body["first"], asked.body["lines"]
        self.kept |= dict(enumerate(lines, start=first))
        return said(Logged(next=first + len(lines)))


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as stub, Client(stub.url, TOKEN, timeout=120) as client:
        service = Service(stub, client)
        yield service
        service.may_answer.set()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[ChildProcess]:
    with ChildProcess("cpu", slot=0, folder=tmp_path, environment=os.environ, allowed=[WRITING, DYING]) as child:
        child.wait_ready()
        yield child


def order(task: str) -> Order:
    return Order(task=TaskSpec(name=task), params={"epochs": 1}, seed=0)


def written(service: Service, child: ChildProcess, task: str) -> str:
    """Have a child train; return what it wrote."""
    with Delivery(service.client, LEASE, child.output):
        child.order(order(task))
        try:
            while not isinstance(heard := child.receive(), Ended):
                if isinstance(heard, Measured):
                    child.answer_go_on()
        except ChildDied:
            pass
    return "\n".join(service.kept[line] for line in sorted(service.kept))


def writing(script: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)


def output_of(process: subprocess.Popen[bytes]) -> Output:
    assert process.stdout
    return Output(process.stdout)


def test_what_a_training_prints_logs_and_warns_of_is_kept_and_what_it_dies_of(
    service: Service, child: ChildProcess
) -> None:
    lived = written(service, child, WRITING)
    service.kept.clear()
    died = written(service, child, DYING)

    for expected in ("printed", "to standard error", "INFO", "logged", "UserWarning: warned of", "without an end"):
        assert expected in lived
    assert "its last words" in died
    assert "Fatal Python error: Aborted" in died
    assert "own_tasks.py" in died


def test_a_million_lines_do_not_wait_for_the_service_and_the_first_and_the_last_are_kept(service: Service) -> None:
    service.may_answer.clear()
    storm = (
        "import os\nfor n in range(10_000): os.write(1, b''.join(b'line %d\\n' % (100 * n + m) for m in range(100)))"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with writing(storm) as process:
        output = output_of(process)
        with Delivery(service.client, LEASE, output):
            code = process.wait(60)
            service.may_answer.set()

    assert code == 0
    wait_for(lambda: 999_999 in service.kept)
    assert service.kept[0] == "line 0"
    assert all(text == f"line {number}" for number, text in service.kept.items())
    assert len(service.kept) < 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000  # Kilobytes; it wrote 11 megabytes.


def test_a_service_that_does_not_answer_holds_up_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.delivery.EVERY_SECONDS", 0.01)
    monkeypatch.setattr("workers.delivery.CLOSE_SECONDS", 0.1)
    service.may_answer.clear()

    with writing("import sys; sys.stdin.read(); print('text')") as process:
        assert process.stdin
        with Delivery(service.client, LEASE, output_of(process)) as delivery:
            process.stdin.close()
            process.wait(60)
            assert service.was_asked.wait(60)

        assert not delivery._sending.done()
        assert service.kept == {}


def test_the_workers_log_has_what_is_written_while_the_service_is_away(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("workers.delivery.EVERY_SECONDS", 0.01)
    monkeypatch.setattr("workers.delivery.CLOSE_SECONDS", 0.1)
    caplog.set_level("INFO", logger="workers.delivery")
    service.may_answer.clear()

    with writing("import sys; print('one', flush=True); sys.stdin.read(); print('two', flush=True)") as process:
        assert process.stdin
        with Delivery(service.client, LEASE, output_of(process)):
            wait_for(lambda: "| one" in caplog.text)
            process.stdin.close()
            wait_for(lambda: "| two" in caplog.text)
            process.wait(60)
            service.may_answer.set()

    lines = [record for record in caplog.records if "|" in record.message]
    assert [record.args for record in lines] == [{**about(LEASE), "text": text} for text in ("one", "two")]
    wait_for(lambda: service.kept == {0: "one", 1: "two"})


def test_lines_of_a_lease_that_is_lost_are_no_error_and_no_more_are_sent(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.delivery.EVERY_SECONDS", 0.01)
    service.answer = refused(LeaseLost("it ran out"))

    with writing("import sys; print('one', flush=True); sys.stdin.read(); print('two')") as process:
        assert process.stdin
        with Delivery(service.client, LEASE, output_of(process)):
            wait_for(lambda: service.refused)
            process.stdin.close()
            process.wait(60)

    assert service.refused == 1


def test_what_is_written_while_nothing_is_recorded_goes_to_the_workers_own_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with writing("print('between two trials')") as process:
        output = output_of(process)
        process.wait(60)
        output.settle()

    assert capfd.readouterr().err == "between two trials\n"
