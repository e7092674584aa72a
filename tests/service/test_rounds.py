"""Rounds of a study: each has one space, whoever asks, and Optuna reads its trials."""

from concurrent.futures import ThreadPoolExecutor

import optuna
import pytest
import sqlalchemy as sa

from service.storage.optuna_storage import OptunaStorage
from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.protocol import Lease
from trimtab.space import Categorical, Float, Int
from trimtab.spec import StudySpec

SPACE = {
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "layers": {"type": "int", "low": 1, "high": 8},
    "activation": {"type": "categorical", "choices": ["sigmoid", "relu", "tanh"]},
}


def rounds_spec(name: str = "study", *, rounds: int = 3, trials: int = 30) -> StudySpec:
    sampler = {"name": "coarse_to_fine", "seed": 1, "rounds": rounds}
    return spec(name, space=SPACE, sampler=sampler, budget={"trials": trials})


def error(lease: Lease) -> float:
    """The least error is at the greatest rate, with relu."""
    params = lease.params
    assert isinstance(params["rate"], float)
    assert isinstance(params["layers"], int)
    return (params["rate"] - 1) ** 2 + 0.01 * abs(params["layers"] - 3) + 10 * (params["activation"] != "relu")


def train(client: Client, lease: Lease) -> None:
    client.tell(lease, "complete", metrics={METRIC: error(lease)})


def ask(client: Client, study: str = "study", count: int = 1) -> list[Lease]:
    return list(client.ask(worker="w", study=study, count=count).leases)


def run(client: Client, study: str, trials: int) -> list[Lease]:
    leases = []
    for _ in range(trials):
        leases += ask(client, study)
        train(client, leases[-1])
    return leases


def test_each_round_has_its_space_and_its_trials_lie_in_it(client: Client) -> None:
    client.create_study(rounds_spec())

    leases = run(client, "study", 30)

    rounds = client.rounds("study")
    assert [(each.round, each.first_number) for each in rounds] == [(0, 0), (1, 10), (2, 20)]
    assert rounds[0].space == client.study("study").spec.space
    for lease in leases:
        assert rounds[lease.trial // 10].space.contains(lease.params)


def test_bad_choices_go_and_the_range_follows_the_best_beyond_its_bound_with_an_alarm(client: Client) -> None:
    client.create_study(rounds_spec(rounds=6, trials=60))

    leases = run(client, "study", 60)

    rounds = client.rounds("study")
    last = rounds[-1].space
    assert isinstance(last["activation"], Categorical)
    assert last["activation"].choices == ("relu",)
    alarms = [alarm for each in rounds for alarm in each.alarms]
    assert ("rate", "high") in {(alarm.parameter, alarm.side) for alarm in alarms}
    rates = [lease.params["rate"] for lease in leases]
    assert max(rate for rate in rates if isinstance(rate, float)) > 1.0
    best = client.best_trial("study")
    assert best.params == next(lease.params for lease in leases if lease.trial == best.number)


def test_the_same_seed_gives_the_same_trials_through_any_replica(start_replica: Serve) -> None:
    one, other = start_replica().client, start_replica().client
    one.create_study(rounds_spec("alone"))
    one.create_study(rounds_spec("shared"))

    alone = run(one, "alone", 30)
    shared = [run(client, "shared", 1)[0] for _ in range(15) for client in (one, other)]

    assert [lease.params for lease in alone] == [lease.params for lease in shared]


@pytest.mark.usefixtures("unhurried")
def test_replicas_that_begin_a_round_at_once_agree_on_its_space(start_replica: Serve) -> None:
    clients = [start_replica().client for _ in range(3)]
    clients[0].create_study(rounds_spec())
    run(clients[0], "study", 10)

    with ThreadPoolExecutor(6) as pool:
        leases = [lease for found in pool.map(ask, clients * 2) for lease in found]

    rounds = clients[0].rounds("study")
    assert [each.round for each in rounds] == [0, 1]
    assert all(rounds[1].space.contains(lease.params) for lease in leases)
    assert len({str(lease.params) for lease in leases}) == 6


def test_an_ask_for_many_goes_on_into_the_next_round(client: Client) -> None:
    client.create_study(rounds_spec())
    run(client, "study", 8)

    leases = ask(client, count=5)

    rounds = client.rounds("study")
    assert [lease.trial for lease in leases] == [8, 9, 10, 11, 12]
    assert rounds[1].first_number == 10
    assert all(rounds[lease.trial // 10].space.contains(lease.params) for lease in leases)


def test_optuna_reads_the_range_of_each_round_and_all_choices(client: Client, storage: OptunaStorage) -> None:
    client.create_study(rounds_spec())
    run(client, "study", 30)
    rate = client.rounds("study")[2].space["rate"]
    assert isinstance(rate, Float)

    trials = optuna.load_study(study_name="study", storage=storage).trials

    stored = trials[25].distributions["rate"]
    assert isinstance(stored, optuna.distributions.FloatDistribution)
    assert (stored.low, stored.high) == (rate.low, rate.high)
    choices = {trial.distributions["activation"] for trial in trials}
    assert choices == {optuna.distributions.CategoricalDistribution(["sigmoid", "relu", "tanh"])}


def test_a_study_of_another_sampler_has_no_rounds(client: Client) -> None:
    client.create_study(spec())
    ask(client)

    assert client.rounds("study") == []
    with pytest.raises(StudyNotFound):
        client.rounds("nothing")


def test_rounds_go_with_their_study(client: Client, engine: sa.Engine) -> None:
    client.create_study(rounds_spec())
    ask(client)

    client.delete_study("study")

    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM trimtab_rounds")).scalar_one() == 0


@pytest.mark.parametrize(
    "ends",
    [
        {"type": "float", "low": 999999.6, "high": 999999.9},
        {"type": "float", "low": 1e6, "high": 1e6 + 1},
        {"type": "float", "low": 1.0, "high": 1.0 + 1e-15},
        {"type": "float", "low": -1e150, "high": 1e150},
        {"type": "float", "low": 1e-150, "high": 1e150, "scale": "log"},
        {"type": "float", "low": -1e150, "high": 0.5, "scale": "reverse_log"},
        {"type": "int", "low": 2**53 - 10, "high": 2**53 - 1},
        {"type": "int", "low": 1, "high": 2**53, "scale": "log"},
        {"type": "int", "low": 0, "high": 7, "step": 5},
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_narrow_a_huge_and_an_offset_range_come_through_all_rounds(
    client: Client, ends: dict[str, object], sign: int
) -> None:
    sampler = {"name": "coarse_to_fine", "rounds": 3, "round_trials": 4}
    client.create_study(spec(space={"x": ends}, sampler=sampler, budget={"trials": 12}))

    for _ in range(12):
        (lease,) = ask(client)
        assert isinstance(lease.params["x"], float | int)
        client.tell(lease, "complete", metrics={METRIC: sign * lease.params["x"]})

    rounds = [each.space["x"] for each in client.rounds("study")]
    assert len(rounds) == 3
    assert all(isinstance(each, Float | Int) and each.low < each.high for each in rounds)


def test_where_a_space_cannot_be_narrowed_the_next_round_has_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OverflowError

    monkeypatch.setattr("service.sampling.rounds.narrowed", fail)
    client.create_study(rounds_spec())

    run(client, "study", 11)

    first, second = client.rounds("study")
    assert second.space == first.space
    assert "study study: its space could not be narrowed" in caplog.text
