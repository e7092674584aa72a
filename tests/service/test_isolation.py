"""What is wrong with one study does not reach the others; who waits costs those who work nothing."""

import pytest
import sqlalchemy as sa

from service import studies
from service.asks import ask
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.protocol import Ask
from trimtab.states import TrialState

UNREADABLE = (
    "UPDATE trimtab_studies SET spec = '{}' WHERE study_id = (SELECT study_id FROM studies WHERE study_name = :name)"
)
NEWER = """
    UPDATE trimtab_studies SET spec = (CAST(spec AS jsonb) || '{"colour": "red"}')::json
    WHERE study_id = (SELECT study_id FROM studies WHERE study_name = :name)
"""


def test_a_study_that_cannot_be_read_keeps_no_other_from_the_sweep(engine: sa.Engine, client: Client) -> None:
    for name in ("bad", "good"):
        client.create_study(spec(name))
        client.ask("w", study=name)
    record.execute(engine, UNREADABLE, name="bad")
    record.let_leases_run_out(engine)

    ended = sweep(Replica(engine, 30.0))

    assert ended == 1
    assert client.trial("good", 0).state is TrialState.WAITING


def test_a_study_that_cannot_be_sampled_keeps_no_worker_from_the_others(engine: sa.Engine, client: Client) -> None:
    for name in ("bad", "good"):
        client.create_study(spec(name))
    record.execute(engine, UNREADABLE, name="bad")

    found = ask(Replica(engine, 30.0), Ask(worker="w"))

    assert [lease.study for lease in found.leases] == ["good"]


def test_a_spec_with_a_part_that_only_a_newer_replica_knows_is_served(engine: sa.Engine, client: Client) -> None:
    client.create_study(spec("newer"))
    record.execute(engine, NEWER, name="newer")
    replica = Replica(engine, 30.0)

    found = ask(replica, Ask(worker="w", study="newer"))

    assert (studies.read(replica, "newer").spec, len(found.leases)) == (spec("newer"), 1)


def test_a_pruned_trial_keeps_the_last_value_that_it_reported(client: Client) -> None:
    client.create_study(spec())
    (lease,) = client.ask("w", study="study").leases
    client.report(lease, step=3, metrics={METRIC: 0.5})

    client.tell(lease, "pruned", metrics={"seconds": 9.0})

    trial = client.trial("study", 0)
    assert (trial.values, trial.metrics) == ({METRIC: 0.5}, {METRIC: 0.5, "seconds": 9.0})


@pytest.mark.parametrize("given", ['"0-0"', 'W/"7-0", W/"0-0"', "*"])
def test_an_etag_is_compared_weakly_and_may_be_one_of_several(served: Served, client: Client, given: str) -> None:
    client.create_study(spec())
    (lease,) = client.ask("w", study="study").leases
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    answer = served.http.get("/v1/studies/study/best-trial", headers={"If-None-Match": given})

    assert answer.status_code == 304


def test_looking_again_for_a_trial_writes_nothing(engine: sa.Engine) -> None:
    replica = Replica(engine, 30.0)
    ask(replica, Ask(worker="w"))
    before = record.rows(engine)

    found = ask(replica, Ask(worker="w"), is_noted=True)

    assert found.leases == []
    assert record.rows(engine) == before


def test_a_tell_wakes_nobody_who_waits_for_a_trial(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(served.replica.offers, "announce", lambda: woken.append("offers"))
    client.create_study(spec())
    leases = client.ask("w", study="study", count=2).leases
    woken.clear()

    client.tell(leases[0], "complete", metrics={METRIC: 0.5})
    after_complete = list(woken)
    client.tell(leases[1], "released")

    assert (after_complete, woken) == ([], ["offers"])
