"""A search, its confirmation, its final model: by a real service and a real worker, then three lines of Python."""

from pathlib import Path

from sklearn.datasets import load_iris

import trimtab
from tests.e2e.running import Workers, wait_for
from tests.e2e.studies import create, reached
from trimtab.client import Client
from trimtab.finals import Confirm, FinalModel, FinalState
from trimtab.states import TrialState


def settled(client: Client) -> FinalModel | None:
    final = client.final("study")
    return final if final.state.is_settled else None


def test_a_study_ends_in_a_model_that_answers(client: Client, server: str, workers: Workers, tmp_path: Path) -> None:
    create(client, trials=3, fixed={"epochs": 30, "learning_rate": 0.01})
    workers.start(server, "--exit-when-idle", "30")
    reached(client, TrialState.COMPLETE, 2)

    client.make_final("study", confirm=Confirm(top=2, repeats=2))
    final = wait_for(lambda: settled(client))
    client.fetch_model("study", tmp_path / "iris.zip")

    model = trimtab.load_model(tmp_path / "iris.zip")
    iris = load_iris()
    share_wrong = (model.predict(iris.data) != iris.target_names[iris.target]).mean()
    assert final.state is FinalState.COMPLETE
    assert final.test
    assert final.test.examples == 30
    assert final.test.low <= final.test.error <= final.test.high
    assert share_wrong < 0.1
    assert final.confirmation
    assert len(final.confirmation.trials) == 2
    assert all(trial.standard_error is not None for trial in final.confirmation.trials)
    assert final.trial == final.confirmation.trials[0].trial
    assert model.card.test == final.test
    assert [path for path in tmp_path.rglob("model") if path.is_file()] == []
