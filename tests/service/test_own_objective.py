"""An objective written for Optuna: what it is given, what it may do, and what becomes of its trials."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import optuna
import pytest
import sqlalchemy as sa

import trimtab
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, StepConflict, StudyExists, Unreachable
from trimtab.own import held, offers, optimizing
from trimtab.own.results import FoundStudy
from trimtab.protocol import Leases
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Direction, Outcome, StudyState, TrialState


def optimized(client: Client, objective: Callable[[Any], Any], **told: Any) -> FoundStudy:
    """Optimise an objective in a study of three trials, unless told otherwise."""
    settings: dict[str, Any] = {"study": "study", "n_trials": 3, "client": client}
    return trimtab.optimize(objective, **settings | told)


def test_an_objective_is_called_with_each_trial_of_a_study_that_is_made_for_it(client: Client) -> None:
    seen = []

    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", -1.0, 1.0)
        seen.append((trial.number, trial.params))
        return float(x**2)

    study = optimized(client, objective)

    found = client.study("study")
    assert (found.state, found.spec.task, found.counts.complete) == (StudyState.COMPLETE, None, 3)
    assert seen == [(trial.number, trial.params) for trial in client.trials("study")]
    assert [trial.value for trial in study.trials] == [params["x"] ** 2 for _, params in seen]
    assert study.best_value == min(params["x"] ** 2 for _, params in seen)


def test_params_depend_on_params(client: Client) -> None:
    def objective(trial: Any) -> float:
        if trial.suggest_categorical("optimizer", ["sgd", "adam"]) == "adam":
            return float(trial.suggest_float("beta2", 0.9, 0.999))
        return float(trial.suggest_float("momentum", 0.0, 0.9))

    study = optimized(client, objective, n_trials=8)

    kinds = {frozenset(trial.params) for trial in study.trials}
    assert kinds == {frozenset({"optimizer", "beta2"}), frozenset({"optimizer", "momentum"})}


def test_the_kinds_of_params_are_those_of_optuna(client: Client, database_url: str) -> None:
    found: list[dict[str, Any]] = []

    def objective(trial: Any) -> float:
        trial.suggest_float("rate", 1e-5, 1e-1, log=True)
        trial.suggest_float("dropout", 0.0, 0.5, step=0.25)
        trial.suggest_int("units", 16, 128, log=True)
        trial.suggest_int("layers", 1, 7, step=3)
        trial.suggest_categorical("flag", [True, False])
        assert trial.suggest_float("rate", 1e-5, 1e-1, log=True) == trial.params["rate"]
        found.append(trial.params)
        return 0.0

    optimized(client, objective)

    stored = optuna.load_study(study_name="study", storage=optuna.storages.RDBStorage(database_url)).trials
    assert [trial.params for trial in stored] == found
    assert stored[0].distributions == {
        "rate": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
        "dropout": optuna.distributions.FloatDistribution(0.0, 0.5, step=0.25),
        "units": optuna.distributions.IntDistribution(16, 128, log=True),
        "layers": optuna.distributions.IntDistribution(1, 7, step=3),
        "flag": optuna.distributions.CategoricalDistribution([True, False]),
    }
    assert [type(value) for value in found[0].values()] == [float, float, int, int, bool]


def test_a_choice_that_is_no_json_is_given_as_it_is_and_kept_as_text(client: Client) -> None:
    choices = [None, (64, 64)]
    given = []

    def objective(trial: Any) -> float:
        given.append(trial.suggest_categorical("sizes", choices))
        return 0.0

    study = optimized(client, objective, n_trials=6)

    assert set(given) == set(choices)
    assert [trial.params["sizes"] for trial in study.trials] == [repr(choice) for choice in given]


def test_what_is_reported_is_on_record_one_step_later_than_it_was_counted(client: Client) -> None:
    def objective(trial: Any) -> float:
        for step in range(3):
            trial.report(1 / (step + 1), step)
        return 0.25

    optimized(client, objective, n_trials=1)

    found = client.trial("study", 0)
    assert [(each.step, each.metrics) for each in found.reports] == [
        (1, {"value": 1.0}),
        (2, {"value": 0.5}),
        (3, {"value": 1 / 3}),
    ]
    assert (found.values, found.step) == ({"value": 0.25}, 3)


@pytest.mark.parametrize("pruned", [optuna.TrialPruned, trimtab.Pruned])
def test_trials_that_cannot_win_are_pruned_by_either_exception(client: Client, pruned: type[Exception]) -> None:
    steps = []

    def objective(trial: Any) -> float:
        for step in range(6):
            steps.append((trial.number, step))
            trial.report(trial.number, step)
            if trial.should_prune():
                raise pruned
        return float(trial.number)

    study = optimized(client, objective, n_trials=7)

    # The median pruner of a study lets five trials end, and each of the others three steps.
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 5 + ["PRUNED"] * 2
    assert steps[-4:] == [(6, 0), (6, 1), (6, 2), (6, 3)]
    assert [trial.value for trial in study.trials] == [0, 1, 2, 3, 4, 5, 6]


def test_a_step_that_is_reported_twice_keeps_its_first_figure_with_a_warning(client: Client) -> None:
    def objective(trial: Any) -> float:
        trial.report(0.5, 0)
        with pytest.warns(UserWarning, match="step 0 was reported before"):
            trial.report(0.25, 0)
        with pytest.raises(StepConflict):
            trial.report(0.25, 4) or trial.report(0.25, 2)
        return 0.0

    optimized(client, objective, n_trials=1)

    assert [each.metrics for each in client.trial("study", 0).reports] == [{"value": 0.5}, {"value": 0.25}]


def test_what_a_trial_leaves_on_record_is_there_for_all_to_read(client: Client) -> None:
    def objective(trial: Any) -> float:
        trial.set_user_attr("parameters", {"count": 10, "shared": [True, None]})
        assert trial.user_attrs == {"parameters": {"count": 10, "shared": [True, None]}}
        return 0.0

    study = optimized(client, objective, n_trials=1)

    assert study.best_trial.user_attrs == {"parameters": {"count": 10, "shared": [True, None]}}


def test_what_becomes_json_is_left_on_record_as_that(client: Client) -> None:
    study = optimized(client, lambda trial: trial.set_user_attr("sizes", {1: (64, 64)}) or 0.0, n_trials=1)

    assert study.best_trial.user_attrs == {"sizes": {"1": [64, 64]}}


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), {(1, 2): 3}])
def test_what_is_no_json_is_refused_by_its_key(client: Client, value: object) -> None:
    with pytest.raises(Invalid, match="the user attribute 'sizes' is nothing that JSON can say"):
        optimized(client, lambda trial: trial.set_user_attr("sizes", value), n_trials=1)


def test_a_step_below_zero_is_an_error_as_it_is_in_optuna(client: Client) -> None:
    with pytest.raises(ValueError, match="steps are counted from 0"):
        optimized(client, lambda trial: trial.report(0.5, -1), n_trials=1)


def test_a_range_that_its_steps_do_not_meet_is_warned_of_as_optuna_warns(client: Client) -> None:
    def objective(trial: Any) -> float:
        trial.suggest_float("even", 0.0, 0.3, step=0.1)
        with pytest.warns(UserWarning, match="rate: steps of 0.3 from 0.0 do not meet 1.0: the largest value is 0.9"):
            trial.suggest_float("rate", 0.0, 1.0, step=0.3)
        with pytest.warns(UserWarning, match="units: steps of 3 from 0 do not meet 10: the largest value is 9"):
            trial.suggest_int("units", 0, 10, step=3)
        return 0.0

    study = optimized(client, objective, n_trials=1)

    assert study.best_trial.params["rate"] <= 0.9


def test_an_error_fails_its_trial_and_is_raised(client: Client) -> None:
    with pytest.raises(ZeroDivisionError):
        optimized(client, lambda trial: 1 / trial.number)

    (found,) = client.trials("study")
    assert (found.state, found.reason) == (TrialState.FAIL, "ZeroDivisionError: division by zero")


@pytest.mark.parametrize("catch", [ZeroDivisionError, (KeyError, ArithmeticError)])
def test_an_error_that_is_caught_fails_its_trial_alone(client: Client, catch: Any) -> None:
    study = optimized(client, lambda trial: 1 / trial.number, catch=catch)

    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE", "COMPLETE"]


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "the objective returned what is no number: None"),
        pytest.param(10**400, "the objective returned a number that is too large for a float", id="too large"),
        ("much", "the objective returned what is no number: 'much'"),
        ((0.5, 0.5), "the objective returned 2 figures, and not 1: (0.5, 0.5)"),
    ],
)
def test_what_is_no_figure_fails_its_trial_alone(client: Client, returned: object, reason: str) -> None:
    study = optimized(client, lambda trial: returned if trial.number == 0 else 0.5, n_trials=2)

    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]
    assert client.trial("study", 0).reason == reason


def test_what_is_no_figure_may_be_as_long_as_it_likes(client: Client) -> None:
    optimized(client, lambda trial: "much\0" * 5000 if trial.number == 0 else 0.5, n_trials=2)

    assert [trial.outcome for trial in client.trials("study")] == [Outcome.ERROR, Outcome.COMPLETE]


@pytest.mark.parametrize("returned", [float("nan"), float("-inf")])
def test_a_figure_that_is_not_finite_is_a_trial_that_diverged(client: Client, returned: float) -> None:
    optimized(client, lambda trial: returned if trial.number == 0 else 0.5, n_trials=2)

    assert [trial.outcome for trial in client.trials("study")] == [Outcome.DIVERGED, Outcome.COMPLETE]
    assert client.best_trial("study").number == 1


def test_an_interrupt_gives_the_trial_back(client: Client) -> None:
    def objective(trial: Any) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimized(client, objective)

    assert [trial.state for trial in client.trials("study")] == [TrialState.WAITING]


def test_a_trial_that_another_worker_has_by_now_is_dropped_and_trained_with_the_same_params(
    client: Client, engine: sa.Engine, replica: Replica
) -> None:
    given = []

    def objective(trial: Any) -> float:
        given.append(trial.suggest_float("x", 0.0, 1.0))
        if len(given) == 1:
            record.let_leases_run_out(engine)
            sweep(replica)
        trial.report(0.5, 0)
        return float(len(given))

    study = optimized(client, objective, n_trials=1)

    assert given[0] == given[1]
    assert study.best_value == 2.0
    assert [attempt.outcome for attempt in client.trial("study", 0).history] == [Outcome.LOST, Outcome.COMPLETE]


def test_a_silent_objective_hears_that_it_is_to_end_and_that_its_trial_is_lost(
    client: Client, engine: sa.Engine, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HEARTBEATS_PER_LEASE", 3000)

    def objective(trial: Any) -> float:
        if trial.number == 0:
            client.stop_trial("study", 0)
            wait_until(trial.should_prune)
            raise trimtab.Pruned
        if not lost:
            lost.append(trial.number)
            record.let_leases_run_out(engine)
            sweep(replica)
            wait_until(lambda: trial.should_prune() and False)
        return 0.5

    lost: list[int] = []
    study = optimized(client, objective, n_trials=2)

    assert [trial.state.name for trial in study.trials] == ["PRUNED", "COMPLETE"]
    assert [attempt.outcome for attempt in client.trial("study", 1).history] == [Outcome.LOST, Outcome.COMPLETE]


def test_several_figures_are_several_objectives(client: Client) -> None:
    def objective(trial: Any) -> tuple[float, float]:
        x = trial.suggest_float("x", 0.0, 1.0)
        return x, 1 - x

    study = optimized(client, objective, directions=["minimize", "maximize"])

    assert [each.direction for each in client.study("study").spec.objectives] == ["minimize", "maximize"]
    assert [trial.values for trial in study.trials] == [[x, 1 - x] for x in (each.params["x"] for each in study.trials)]
    assert [trial.params["x"] for trial in study.best_trials] == [min(each.params["x"] for each in study.trials)]


def test_a_study_that_has_its_trials_is_not_given_more_unless_more_are_asked_for(client: Client) -> None:
    called = []

    def objective(trial: Any) -> float:
        called.append(trial.number)
        return float(trial.suggest_float("x", 0.0, 1.0))

    for n_trials in (2, 2, 1, 4, None):
        optimized(client, objective, n_trials=n_trials)

    assert called == [0, 1, 2, 3]
    assert client.study("study").spec.budget.trials == 4


@pytest.mark.usefixtures("unhurried")
def test_two_calls_at_once_share_the_trials(client: Client) -> None:
    together = threading.Barrier(2, timeout=60)
    called: dict[str, list[int]] = {"one": [], "other": []}

    def objective_of(name: str) -> Callable[[Any], float]:
        def objective(trial: Any) -> float:
            if not called[name]:
                together.wait()
            called[name].append(trial.number)
            return float(trial.suggest_float("x", 0.0, 1.0))

        return objective

    threads = [
        threading.Thread(target=optimized, args=(client, objective_of(name)), kwargs={"n_trials": 6}) for name in called
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(called["one"] + called["other"]) == [0, 1, 2, 3, 4, 5]
    assert min(map(len, called.values())) > 0


def test_time_that_is_over_begins_no_more_trials(client: Client) -> None:
    study = optimized(client, lambda trial: 0.5, timeout=0)

    assert study.trials == []
    assert client.study("study").state is StudyState.RUNNING


def test_a_service_that_is_away_is_not_waited_for_beyond_the_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = []

    def ask(*_: Any, **told: Any) -> Leases:
        asks.append(told["wait"])
        raise Unreachable("nothing answers") if len(asks) == 1 else AssertionError("asked again")

    monkeypatch.setattr(client, "ask", ask)
    # No time passes: on a slow machine it would be over before the first ask.
    monkeypatch.setattr(optimizing, "leases", partial(offers.leases, clock=lambda: 0.0))
    study = optimized(client, lambda trial: 0.5, timeout=0.1)

    assert len(asks) == 1
    assert study.trials == []


def test_a_trial_that_comes_when_the_time_is_over_goes_back(client: Client) -> None:
    client.create_study(spec(space=None))
    clock = iter([0.0, 1.0, 61.0, 62.0])

    found = list(offers.leases(client, "study", seconds=60, clock=lambda: next(clock)))

    assert found == []
    assert [trial.state for trial in client.trials("study")] == [TrialState.WAITING]


def test_the_directions_of_a_study_stay_as_they_are(client: Client) -> None:
    optimized(client, lambda trial: 0.5, direction="maximize", n_trials=1)

    with pytest.raises(StudyExists, match="is there with other directions: maximize; take another name"):
        optimized(client, lambda trial: 0.5, direction="minimize", n_trials=2)
    optimized(client, lambda trial: 0.75, n_trials=2)

    assert client.study("study").spec.objectives[0].direction is Direction.MAXIMIZE
    assert client.best_trial("study").number == 1


def test_a_study_with_a_task_is_no_objectives(client: Client) -> None:
    client.create_study(StudySpec(name="study", task=TaskSpec(name="mlp")))

    with pytest.raises(StudyExists, match="the study 'study' is there with a task, which workers train"):
        optimized(client, lambda trial: 0.5)

    assert list(client.trials("study")) == []


def test_a_study_with_a_space_says_so_to_an_objective_that_asks(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(Conflict, match="space"):
        optimized(client, lambda trial: trial.suggest_float("x", 0.0, 1.0))

    assert [trial.outcome for trial in client.trials("study")] == [Outcome.ERROR]


def test_a_study_that_somebody_made_is_optimised_by_its_own_metric(client: Client) -> None:
    client.create_study(spec(space=None, budget={"trials": 1}))

    optimized(client, lambda trial: trial.report(0.75, 0) or 0.5, n_trials=1)

    found = client.trial("study", 0)
    assert (found.values, found.reports[0].metrics) == ({"error": 0.5}, {"error": 0.75})


def test_a_study_that_failures_have_stopped_says_so_here_and_when_it_is_called_again(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    optimized(client, lambda trial: None, n_trials=20)

    assert "the study study was stopped: 10 trials failed in a row" in caplog.text
    with pytest.raises(Conflict, match=r"was stopped: 10 trials failed in a row.*; set it running again"):
        optimized(client, lambda trial: None, n_trials=20)


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({"direction": "up"}, Invalid, "direction"),
        ({"n_trials": 0}, Invalid, "trials"),
        ({"study": "no name"}, Invalid, "name"),
        ({"direction": "minimize", "directions": ["minimize"]}, ValueError, "not both"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    client: Client, told: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        optimized(client, lambda trial: 0.5, **told)

    assert list(client.studies()) == []


def test_trials_are_found_by_optunas_own_states(client: Client) -> None:
    outcomes: Iterator[float | BaseException] = iter([0.5, trimtab.Pruned(), ValueError("bad"), KeyboardInterrupt()])

    def objective(trial: Any) -> float:
        outcome = next(outcomes)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    with pytest.raises(KeyboardInterrupt):
        optimized(client, objective, catch=ValueError, n_trials=5)
    client.ask("worker", study="study", count=1)
    study = FoundStudy(client, client.study("study"))

    found = {
        state: [trial.number for trial in study.get_trials(deepcopy=False, states=[state])]
        for state in optuna.trial.TrialState
    }
    states = optuna.trial.TrialState
    assert found == {
        states.COMPLETE: [0],
        states.PRUNED: [1],
        states.FAIL: [2],
        states.RUNNING: [3],
        states.WAITING: [],
    }
    assert [int(trial.state) for trial in study.trials] == [states.COMPLETE, states.PRUNED, states.FAIL, states.RUNNING]
