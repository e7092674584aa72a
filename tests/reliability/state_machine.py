"""Whatever is called in whatever order, through either of two replicas: the answers and the record are the model's."""

import json
from collections.abc import Callable
from itertools import cycle
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service.sweep import sweep
from tests.reliability.auditor import audit
from tests.reliability.model import FAILED_IN_A_ROW, FAILURES, MAX_ATTEMPTS, Expected, LeaseModel, Model
from tests.service import record
from tests.service.runs import EAGER
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.errors import LeaseLost, NoCompleteTrial, Refused, StudyDeleted
from trimtab.protocol import Lease, LeaseReport, Verdict
from trimtab.space import Float

NAMES = st.sampled_from(["one", "two"])
STEPS = st.integers(1, 4)
VALUES = st.sampled_from([0.125, 0.25, 0.5])
OUTCOMES = st.sampled_from(["complete", "pruned", "released", *FAILURES])
KEYS = st.sampled_from(["a", "b"])
PICK = st.integers(0, 1_000)
X = Float(low=0.0, high=1.0)

# As if a replica had been there all the while, however slow the machine is: what has run out stays so.
_WATCHED = sa.text("UPDATE trimtab_liveness SET seen_at = clock_timestamp() + interval '1 hour'")
_RUN_OUT = "UPDATE trimtab_leases SET expires_at = clock_timestamp() WHERE lease_id = :lease_id"

STEPS_OF_A_HISTORY = 40

Call = Callable[[], Any]


class StateMachine(RuleBasedStateMachine):
    """Calls the service and the model alike. `replicas` and `database` are set by who runs it."""

    replicas: tuple[Served, Served]
    database: sa.Engine
    empty: sa.TextClause

    def __init__(self) -> None:
        super().__init__()
        with self.database.connect() as connection:
            connection.execute(self.empty)
            connection.execute(_WATCHED)
        self.model = Model()
        self.leases: list[tuple[Lease, LeaseModel]] = []
        self.verdicts: dict[tuple[str, int], Verdict] = {}
        self.answers: dict[str, tuple[str, int, list[str]]] = {}
        self.turns = cycle(self.replicas)

    @property
    def served(self) -> Served:
        """The replica whose turn it is."""
        return next(self.turns)

    def meets(self, expected: Expected, call: Call) -> Any:
        """Call; return the answer. The refusal, or that there is none, has to be the expected one."""
        answer, met = None, None
        try:
            answer = call()
        except Refused as refused:
            met = type(refused)
        assert met is expected, f"{met and met.__name__}, not {expected and expected.__name__}"
        return answer

    def picked(self, pick: int) -> tuple[Lease, LeaseModel]:
        """Return one of all leases, or, two times of three, one of those that live."""
        live = [one for one in self.leases if one[1].refusal() is None]
        among = live if live and pick % 3 else self.leases
        return among[pick // 3 % len(among)]

    @initialize(budget=st.integers(1, 4), has_space=st.booleans())
    def begin(self, budget: int, has_space: bool) -> None:
        self.create("one", budget, has_space)
        self.ask("one", 1)

    @rule(name=NAMES, budget=st.integers(1, 4), has_space=st.booleans())
    def create(self, name: str, budget: int, has_space: bool) -> None:
        wanted = spec(
            name,
            budget={"trials": budget},
            max_attempts=MAX_ATTEMPTS,
            failed_in_a_row=FAILED_IN_A_ROW,
            pruner=EAGER,
            **({} if has_space else {"space": None}),
        )
        expected = self.model.create(name, budget, has_space=has_space)
        self.meets(expected, lambda: self.served.client.create_study(wanted))

    @rule(name=NAMES, pick=PICK)
    def delete(self, name: str, pick: int) -> None:
        if pick % 4:
            return  # What is deleted is not there for the other calls.
        self.meets(self.model.delete(name), lambda: self.served.client.delete_study(name))

    @precondition(lambda self: self.model.studies)
    @rule(pick=PICK, state=st.sampled_from(["paused", "running", "stopped"]))
    def move(self, pick: int, state: str) -> None:
        name = self._study(pick)
        self.meets(self.model.move(name, state), lambda: self.served.client.change_study(name, state=state))

    @precondition(lambda self: self.model.studies)
    @rule(pick=PICK, budget=st.integers(1, 6))
    def resize(self, pick: int, budget: int) -> None:
        name = self._study(pick)
        self.meets(self.model.resize(name, budget), lambda: self.served.client.change_study(name, budget=budget))

    @precondition(lambda self: self.model.studies)
    @rule(
        pick=PICK,
        limit=st.one_of(
            st.tuples(st.just("target"), st.sampled_from([0.125, 0.25, None])),
            st.tuples(st.just("patience"), st.sampled_from([1, 3, None])),
            st.tuples(st.just("epochs"), st.sampled_from([2, 6, None])),
        ),
    )
    def limit(self, pick: int, limit: tuple[str, float | None]) -> None:
        name = self._study(pick)
        expected = self.model.limit(name, *limit)
        self.meets(expected, lambda: self.served.client.change_study(name, budget=dict([limit])))

    @rule(name=NAMES, count=st.integers(1, 2))
    def ask(self, name: str, count: int) -> None:
        if name in self.model.studies:
            self._granted(name, count, key=None)

    @rule(name=NAMES, count=st.integers(1, 2), key=KEYS)
    def ask_with_a_key(self, name: str, count: int, key: str) -> None:
        if name not in self.model.studies:
            return
        if key not in self.answers:
            if ids := self._granted(name, count, key=key):
                self.answers[key] = (name, count, ids)
            return
        answer = self.served.http.post("/v1/leases", json=_asked(name, count), headers={"Idempotency-Key": key})
        if self.answers[key][:2] == (name, count):
            _same([lease["id"] for lease in answer.json()["leases"]], self.answers[key][2], "leases again")
        else:
            _same(answer.json()["code"], "idempotency_mismatch", "answer to another body")

    def _granted(self, name: str, count: int, *, key: str | None) -> list[str]:
        answer = self.served.http.post(
            "/v1/leases", json=_asked(name, count), headers={"Idempotency-Key": key} if key else {}
        )
        assert answer.status_code == 200, answer.text
        leases = [Lease.model_validate_json(json.dumps(lease)) for lease in answer.json()["leases"]]
        expected = self.model.ask(name, count)
        _same([(lease.trial, lease.fence, lease.attempt) for lease in leases], expected, "leases")
        self.leases += zip(leases, self.model.leases[-len(leases) :] if leases else [], strict=True)
        return [lease.id for lease in leases]

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, step=STEPS, value=VALUES)
    def report(self, pick: int, step: int, value: float) -> None:
        lease, model = self.picked(pick)
        expected = model.report(step, value)

        found = self.meets(expected, lambda: self.served.client.report(lease, step=step, metrics={METRIC: value}))

        if found:
            self._heard(lease, model, step, found)

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, step=STEPS, value=VALUES)
    def report_with_another_fence(self, pick: int, step: int, value: float) -> None:
        lease, model = self.picked(pick)
        forged = lease.model_copy(update={"fence": lease.fence + 1})
        expected = StudyDeleted if model.is_deleted else LeaseLost
        self.meets(expected, lambda: self.served.client.report(forged, step=step, metrics={METRIC: value}))

    @precondition(lambda self: self.leases)
    @rule(picks=st.lists(PICK, min_size=1, max_size=3), step=STEPS, value=VALUES)
    def report_many(self, picks: list[int], step: int, value: float) -> None:
        chosen = [self.leases[number] for number in sorted({pick % len(self.leases) for pick in picks})]
        expected = [model.report(step, value) for _, model in chosen]
        reports = [
            LeaseReport(lease=lease.id, fence=lease.fence, step=step, metrics={METRIC: value}) for lease, _ in chosen
        ]

        found = self.served.client.report_many(reports)

        for (lease, model), wanted, answer in zip(chosen, expected, found, strict=True):
            met = None if isinstance(answer, Verdict) else type(answer)
            assert met is wanted, f"{met and met.__name__}, not {wanted and wanted.__name__}"
            if isinstance(answer, Verdict):
                self._heard(lease, model, step, answer)

    def _heard(self, lease: Lease, model: LeaseModel, step: int, verdict: Verdict) -> None:
        """The first verdict on a report is the verdict on it for ever. Which it is, the pruner's own tests say."""
        _same(verdict.recorded, step in model.reports, "recorded")
        if not verdict.recorded:
            _same(verdict.verdict, "stop", "verdict")
            return
        first = self.verdicts.setdefault((lease.id, step), verdict)
        _same((verdict.verdict, verdict.reason), (first.verdict, first.reason), "verdict")
        model.is_stopped = model.is_stopped or first.verdict == "stop"

    @precondition(lambda self: self.leases)
    @rule(pick=PICK)
    def heartbeat(self, pick: int) -> None:
        lease, model = self.picked(pick)

        found = self.meets(model.refusal(), lambda: self.served.client.heartbeat(lease))

        if found:
            _same(found.verdict == "stop", model.is_stopped, "told to stop")

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, name=st.sampled_from(["x", "y"]))
    def suggest(self, pick: int, name: str) -> None:
        lease, model = self.picked(pick)

        found = self.meets(self.model.suggest(model), lambda: self.served.client.suggest(lease, name, X))

        if found is not None:
            _same(found, self.model.values(model).setdefault(name, found), "value")

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, value=VALUES)
    def set_attribute(self, pick: int, value: float) -> None:
        lease, model = self.picked(pick)
        self.meets(model.refusal(), lambda: self.served.client.set_attribute(lease, "a", value))

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, outcome=OUTCOMES, value=VALUES)
    def tell(self, pick: int, outcome: str, value: float) -> None:
        lease, model = self.picked(pick)
        expected = self.model.tell(model, outcome, value)
        self.meets(expected, lambda: self.served.client.tell(lease, outcome, metrics={METRIC: value}))

    @precondition(lambda self: self.leases)
    @rule(pick=PICK, is_swept=st.booleans())
    def run_out(self, pick: int, is_swept: bool) -> None:
        lease, model = self.picked(pick)
        if model.refusal() is None:
            record.execute(self.database, _RUN_OUT, lease_id=int(lease.id))
            self.model.let_run_out(model)
        if is_swept:
            self.sweep()

    def sweep(self) -> None:
        _same(sweep(self.served.replica), self.model.sweep(), "swept")

    @precondition(lambda self: any(study.trials for study in self.model.studies.values()))
    @rule(pick=PICK)
    def stop(self, pick: int) -> None:
        trials = [(name, n) for name, study in self.model.studies.items() for n in range(len(study.trials))]
        name, number = trials[pick % len(trials)]
        self.meets(self.model.stop(name, number), lambda: self.served.client.stop_trial(name, number))

    @precondition(lambda self: self.model.studies)
    @rule(pick=PICK)
    def enqueue(self, pick: int) -> None:
        name = self._study(pick)
        self.meets(self.model.enqueue(name), lambda: self.served.client.enqueue(name, {"x": 0.5}))

    @precondition(lambda self: self.model.studies)
    @rule(pick=PICK, state=st.sampled_from(["complete", "pruned", "fail"]), value=VALUES)
    def add(self, pick: int, state: str, value: float) -> None:
        name = self._study(pick)
        given: dict[str, Any] = {"metrics": {METRIC: value}, "curve": {1: {METRIC: value}}}
        if not self.model.studies[name].has_space:
            given["parameters"] = {"x": X}
        self.meets(
            self.model.add(name, state, value), lambda: self.served.client.add_trial(name, {"x": 0.5}, state, **given)
        )

    @invariant()
    def the_record_is_the_models(self) -> None:
        for name, model in self.model.studies.items():
            found = self.served.client.study(name)
            _same((found.state, found.counts.model_dump()), (model.state, model.counts()), "state and trials")
            _same(found.spec.budget.trials, model.budget, "budget")
            _same(found.closing is not None, model.is_closing, "closing")
            try:
                best = self.served.client.best_trial(name)
            except NoCompleteTrial:
                _same(None, model.best, "best")
            else:
                _same(best.values, model.best and {METRIC: model.best.value}, "best value")
                _same([best.number], [n for n, trial in enumerate(model.trials) if trial is model.best], "best")

    def teardown(self) -> None:
        sweep(self.replicas[0].replica)
        found = audit(self.replicas[0].replica.engine)
        assert not found, "; ".join(map(str, found))

    def _study(self, pick: int) -> str:
        names = sorted(self.model.studies)
        return names[pick % len(names)]


def _same(found: object, expected: object, what: str) -> None:
    assert found == expected, f"{what}: {found}, not {expected}"


def _asked(name: str, count: int) -> dict[str, Any]:
    return {"worker": "w", "study": name, "count": count}


def run(machine: type[StateMachine], *, histories: int, is_repeatable: bool) -> None:
    """Play histories of calls; raise if one is not as the model foresees.

    Args:
        machine: What is played.
        histories: How many.
        is_repeatable: The same each time; else others.
    """
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS_OF_A_HISTORY,
            deadline=None,
            derandomize=is_repeatable,
            database=None,
            suppress_health_check=list(HealthCheck),
            # To look for the shortest history that fails may take minutes.
            phases=[Phase.generate],
            print_blob=not is_repeatable,
        ),
    )
