"""A parameter that each layer has is a list to people, and one parameter for each value to Optuna."""

import optuna

from tests.service.specs import spec
from trimtab.client import Client

SPACE = {
    "layers": {"type": "int", "low": 0, "high": 3},
    "units": {"type": "int", "low": 16, "high": 64, "scale": "log", "per": "layers"},
    "keep": {"type": "float", "low": 0.1, "high": 0.9, "scale": "reverse_log", "per": "layers"},
}


def test_a_list_has_as_many_values_as_its_length_says(client: Client) -> None:
    client.create_study(spec(space=SPACE, budget={"trials": 30}))

    params = [lease.params for lease in client.ask("worker", study="study", count=30).leases]

    assert {one["layers"] for one in params} == {0, 1, 2, 3}
    for one in params:
        assert isinstance(one["units"], tuple)
        assert isinstance(one["keep"], tuple)
        assert len(one["units"]) == len(one["keep"]) == one["layers"]
        assert all(16 <= value <= 64 for value in one["units"] if isinstance(value, int))


def test_trials_show_the_list_that_was_drawn(client: Client) -> None:
    client.create_study(spec(space=SPACE))
    lease = client.ask("worker", study="study").leases[0]
    client.tell(lease, "complete", metrics={"error": 0.1})

    assert client.trial("study", 0).params == lease.params
    assert client.best_trial("study").params == lease.params


def test_optuna_reads_a_parameter_for_each_value(client: Client, database_url: str) -> None:
    client.create_study(spec(space={**SPACE, "layers": {"type": "int", "low": 2, "high": 2}}))
    lease = client.ask("worker", study="study").leases[0]

    study = optuna.load_study(study_name="study", storage=optuna.storages.RDBStorage(database_url))

    assert list(study.trials[0].params) == ["layers", "units_1", "units_2", "1-keep_1", "1-keep_2"]
    assert lease.params["units"] == (study.trials[0].params["units_1"], study.trials[0].params["units_2"])
