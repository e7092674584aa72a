"""Many reports in one request are taken one by one, and answered in their order."""

import httpx2
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.runs import EAGER, complete, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Invalid, LeaseLost, LeaseNotFound, Refused, StepConflict
from trimtab.protocol import Lease, LeaseReport, Verdict
from trimtab.states import Decision

TAKEN = "SELECT count(*) FROM trimtab_reports WHERE lease_id = :lease_id"


def reported(of: Lease, step: int, error: float, **changes: object) -> LeaseReport:
    fields: dict[str, object] = {"lease": of.id, "fence": of.fence, "step": step, "metrics": {"error": error}}
    return LeaseReport.model_validate(fields | changes)


def summary(answer: Verdict | Refused) -> object:
    return answer.verdict if isinstance(answer, Verdict) else type(answer)


@pytest.fixture
def leases(client: Client) -> list[Lease]:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.5, 0.5])
    return client.ask("worker", study="study", count=4).leases


def test_each_report_gets_its_own_answer_in_order(client: Client, leases: list[Lease]) -> None:
    report(client, leases[2], 2, 0.1)

    answers = client.report_many(
        [
            reported(leases[0], 1, 0.75),
            reported(leases[1], 1, 0.25),
            reported(leases[2], 1, 0.25),
            reported(leases[3], 1, 0.25, fence=7),
            reported(leases[3], 1, 0.25, lease="999999"),
            reported(leases[3], 1, 0.25, metrics={"loss": 1.0}),
            reported(leases[3], 1, 0.25),
        ]
    )

    assert [summary(answer) for answer in answers] == [
        Decision.STOP,
        Decision.CONTINUE,
        StepConflict,
        LeaseLost,
        LeaseNotFound,
        Invalid,
        Decision.CONTINUE,
    ]


def test_what_is_refused_does_not_keep_the_others_from_the_record(client: Client, leases: list[Lease]) -> None:
    client.report_many([reported(leases[0], 1, 0.25, fence=7), reported(leases[1], 1, 0.25)])

    assert [len(client.trial("study", lease.trial).reports) for lease in leases] == [0, 1, 0, 0]


def test_several_steps_of_one_lease_are_taken_in_their_order(client: Client, leases: list[Lease]) -> None:
    answers = client.report_many([reported(leases[0], step, 0.25) for step in (1, 2, 3)])

    assert [summary(answer) for answer in answers] == [Decision.CONTINUE] * 3
    assert [stored.step for stored in client.trial("study", leases[0].trial).reports] == [1, 2, 3]


def test_the_same_request_again_gets_the_same_answers(client: Client, leases: list[Lease]) -> None:
    reports = [reported(lease, 1, error) for lease, error in zip(leases, (0.75, 0.25, 0.5, 0.6), strict=True)]
    first = client.report_many(reports)

    again = client.report_many(reports)

    assert [summary(answer) for answer in again] == [summary(answer) for answer in first]


def test_one_report_that_makes_no_sense_refuses_the_request_by_its_place(
    client: Client, leases: list[Lease], engine: sa.Engine
) -> None:
    before = record.rows(engine)
    good, bad = reported(leases[0], 1, 0.25), reported(leases[1], 1, 0.25).model_copy(update={"step": 0})

    with pytest.raises(Invalid) as refused:
        client.report_many([good, bad])

    assert [problem.field for problem in refused.value.errors] == ["reports.1.step"]
    assert record.rows(engine) == before


@pytest.mark.parametrize(("bearable", "status"), [(1, 200), (0, 503)])
def test_a_lease_that_somebody_holds_is_waited_for_and_several_are_not(
    http: httpx2.Client,
    engine: sa.Engine,
    leases: list[Lease],
    bearable: int,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.reports._HELD", bearable)
    reports = [reported(lease, 1, 0.25).model_dump(mode="json") for lease in leases[:2]]
    with engine.connect() as holder:
        holder.execute(
            sa.text("SELECT FROM trimtab_leases WHERE lease_id = :lease_id FOR UPDATE"), {"lease_id": int(leases[0].id)}
        )

        answer = http.post("/v1/reports", json={"reports": reports})

    assert answer.status_code == status
    taken = [bool(record.value(engine, TAKEN, lease_id=int(lease.id))) for lease in leases[:2]]
    assert taken == [False, bool(bearable)]
