"""Workers that are stopped, killed or misled: how they go, and what becomes of their trials."""

from signal import SIGINT, SIGKILL, SIGTERM

import sqlalchemy as sa

from tests.e2e.running import PATIENCE_SECONDS, Workers, is_gone, wait_for
from tests.e2e.studies import ENDLESS, LONG_EPOCH, create, reached
from tests.service import record
from trimtab.client import Client
from trimtab.states import Outcome, TrialState


def test_a_worker_told_to_stop_gives_its_trial_back_uncounted(server: str, client: Client, workers: Workers) -> None:
    create(client, fixed=ENDLESS)
    worker = workers.start(server)
    reached(client, TrialState.RUNNING, reports=1)

    worker.signal(SIGTERM)
    code = worker.wait()

    trial = client.trial("study", 0)
    (lease,) = client.ask("another", study="study").leases
    assert code == 0, worker.said()
    assert trial.state is TrialState.WAITING
    assert [attempt.outcome for attempt in trial.history] == [Outcome.RELEASED]
    assert (lease.trial, lease.attempt, lease.fence) == (0, 1, 2)


def test_an_idle_worker_goes_at_ctrl_c(server: str, client: Client, workers: Workers) -> None:
    worker = workers.start(server, constants={"workers.slot._ASK_SECONDS": 60})
    wait_for(lambda: list(client.workers()))

    worker.signal(SIGINT)

    # While it still asks for a trial.
    assert worker.process.wait(timeout=45) == 0
    assert "Traceback" not in worker.said()


def test_an_epoch_that_outlasts_the_drain_is_cut_off(server: str, client: Client, workers: Workers) -> None:
    create(client, fixed=LONG_EPOCH)
    worker = workers.start(server, constants={"workers.drain.DRAIN_SECONDS": 0.5})
    reached(client, TrialState.RUNNING)

    worker.signal(SIGTERM)
    code = worker.wait()

    trial = client.trial("study", 0)
    assert code == 0, worker.said()
    assert (trial.state, trial.reports) == (TrialState.WAITING, [])
    assert [attempt.outcome for attempt in trial.history] == [Outcome.RELEASED]


def test_a_second_signal_ends_a_worker_and_its_children_at_once(server: str, client: Client, workers: Workers) -> None:
    create(client, fixed=LONG_EPOCH)
    worker = workers.start(server, constants={"workers.drain.DRAIN_SECONDS": 600})
    reached(client, TrialState.RUNNING)
    child = worker.child()

    child.suspend()  # So that it ends neither its epoch nor itself.
    worker.signal(SIGTERM)
    wait_for(lambda: "draining: SIGTERM" in worker.said())
    worker.signal(SIGTERM)

    assert worker.process.wait(timeout=PATIENCE_SECONDS) == 128 + SIGTERM
    wait_for(lambda: is_gone(child))


def test_a_killed_workers_trial_is_leased_again_when_its_lease_has_run_out(
    server: str, client: Client, workers: Workers, engine: sa.Engine
) -> None:
    create(client, fixed=ENDLESS)
    worker = workers.start(server)
    reached(client, TrialState.RUNNING, reports=1)
    child = worker.child()

    worker.signal(SIGKILL)
    worker.wait()
    before = client.ask("another", study="study").leases
    record.let_leases_run_out(engine)
    (lease,) = client.ask("another", study="study", wait=60).leases

    trial = client.trial("study", 0)
    assert list(before) == []
    assert (lease.trial, lease.attempt, lease.fence) == (0, 2, 2)
    assert [attempt.outcome for attempt in trial.history] == [Outcome.LOST, None]
    wait_for(lambda: is_gone(child))


def test_a_wrong_token_ends_a_worker_with_one_line(server: str, workers: Workers) -> None:
    worker = workers.start(server, token="ttk_of-somebody-else")

    assert worker.wait() == 2
    assert complaint(worker.said()).startswith("trimtab: the token is not valid: mistyped, revoked, or of another")
    assert "slot" not in worker.said()
    assert "somebody-else" not in worker.said()


def test_a_missing_device_ends_a_worker_with_one_line(server: str, workers: Workers) -> None:
    worker = workers.start(server, "--device", "cuda:99")

    assert worker.wait() == 2
    assert complaint(worker.said()).startswith("trimtab: --device cuda:99 is not here")


def test_a_service_that_is_not_there_ends_a_worker_with_one_line(workers: Workers) -> None:
    worker = workers.start(
        "http://127.0.0.1:9", constants={"workers.slot.FIRST_CONTACT_SECONDS": 0.5, "trimtab.retries.TRIES": 1}
    )

    assert worker.wait() == 2
    assert complaint(worker.said()).startswith("trimtab: no answer from http://127.0.0.1:9")


def test_a_missing_token_ends_a_worker_with_one_line(server: str, workers: Workers) -> None:
    worker = workers.start(server, token="")

    assert worker.wait() == 2
    assert worker.said().startswith("trimtab: no token: ")
    assert len(worker.said().splitlines()) == 1


def complaint(said: str) -> str:
    """Return the last line of a worker that had no traceback to show."""
    assert "Traceback" not in said
    return said.splitlines()[-1]
