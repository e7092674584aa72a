"""What mattered in a study: Optuna's own figures, on its complete trials."""

from collections.abc import Iterator
from typing import Any

import optuna
import pytest

from service.importances import FEWEST_TRIALS, fanova
from service.importances.anova import fanova as fanova_here
from service.importances.table import Table
from service.storage.optuna_storage import OptunaStorage
from tests.service.runs import complete
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Invalid, StudyNotFound, Unavailable

SPACE = {
    "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "beta": {"type": "float", "low": 0.0, "high": 1.0, "when": {"optimizer": ["adam"]}},
}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process have the time that it takes on a busy machine."""
    monkeypatch.setattr(fanova, "LIMIT_SECONDS", 60.0)


def run(client: Client, trials: int, **changes: Any) -> None:
    """Run a study in which the momentum decides."""
    client.create_study(spec(space=SPACE, budget={"trials": 100}, **changes))
    for _ in range(trials):
        (lease,) = client.ask(worker="w", study="study").leases
        momentum, rate = lease.params["momentum"], lease.params["rate"]
        assert isinstance(momentum, float)
        assert isinstance(rate, float)
        metrics = {METRIC: (momentum - 0.9) ** 2 + 1e-6 * rate, "cost": rate}
        client.tell(lease, "complete", metrics=metrics)


def test_the_importances_are_those_of_optuna(client: Client, storage: OptunaStorage) -> None:
    run(client, 60)

    found = client.importances("study")

    theirs = optuna.importance.get_param_importances(optuna.load_study(study_name="study", storage=storage))
    assert (found.method, found.metric, found.trials, found.reason) == ("ped_anova", METRIC, 60, None)
    assert next(iter(found.importances)) == "momentum"
    assert found.importances == {name.removeprefix("1-"): pytest.approx(share) for name, share in theirs.items()}


def test_each_objective_has_its_own(client: Client) -> None:
    run(client, 40, objectives=[{"metric": METRIC}, {"metric": "cost", "direction": "maximize"}])

    assert next(iter(client.importances("study").importances)) == "momentum"
    assert next(iter(client.importances("study", metric="cost").importances)) == "rate"
    with pytest.raises(Invalid, match="no such objective"):
        client.importances("study", metric="accuracy")


def test_before_enough_trials_are_complete_there_are_none_and_it_says_why(client: Client) -> None:
    run(client, FEWEST_TRIALS - 1)

    found = client.importances("study")

    assert (found.importances, found.reason) == ({}, "needs 10 complete trials, and there are 9")


@pytest.mark.parametrize("method", ["ped_anova", "fanova"])
def test_where_all_values_are_equal_there_are_none_and_it_says_why(client: Client, method: str) -> None:
    client.create_study(spec(budget={"trials": 20}))
    for _ in range(FEWEST_TRIALS):
        complete(client, [0.5])

    found = client.importances("study", method)

    assert (found.importances, found.reason) == ({}, "the values of all trials that it looked at are equal")


@pytest.mark.usefixtures("patient")
def test_a_fanova_that_fails_in_its_process_is_a_problem_with_its_cause() -> None:
    known = table(20)

    with pytest.raises(Unavailable, match="fANOVA failed: RuntimeError: Encountered zero total variance"):
        fanova.measured(Table(known.distributions, [{"x": 0.5}] * 20, known.losses))


@pytest.mark.usefixtures("patient")
def test_fanova_runs_in_a_process_of_its_own_and_gives_the_figures_of_optuna(client: Client) -> None:
    run(client, 30)

    found = client.importances("study", "fanova")

    assert set(found.importances) == {"optimizer", "rate", "momentum"}
    assert next(iter(found.importances)) == "momentum"
    assert sum(found.importances.values()) == pytest.approx(1.0)


def table(trials: int) -> Table:
    distribution = optuna.distributions.distribution_to_json(optuna.distributions.FloatDistribution(0.0, 1.0))
    values = [number / trials for number in range(trials)]
    return Table({"x": distribution}, [{"x": value} for value in values], values)


@pytest.mark.usefixtures("patient")
def test_fanova_gives_here_and_in_the_process_the_same() -> None:
    assert fanova.measured(table(20)) == fanova_here(table(20))


def test_of_many_trials_fanova_takes_some_that_are_spread_evenly() -> None:
    spread = fanova.spread(table(1000))

    assert len(spread.losses) == fanova.MOST_TRIALS
    assert (spread.losses[0], spread.losses[-1]) == (0.0, 0.999)


@pytest.fixture
def taken() -> Iterator[None]:
    with fanova._place:
        yield


@pytest.mark.usefixtures("taken")
def test_a_second_fanova_at_the_same_time_is_told_to_come_again() -> None:
    with pytest.raises(Unavailable, match="under way"):
        fanova.measured(table(20))


def test_where_scikit_learn_is_not_installed_fanova_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanova, "find_spec", lambda _: None)

    with pytest.raises(Invalid, match="not installed"):
        fanova.measured(table(20))


def test_a_study_that_is_not_there_has_none(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.importances("nothing")
