"""A search, its confirmation, its final model: by a real service and a real worker, then three lines of Python."""

import os
import subprocess
import sys
from pathlib import Path

from sklearn.datasets import load_iris

import trimtab
from examples.final_model import FLOWERS
from tests.e2e.running import REPOSITORY, TOKEN, Workers
from trimtab.client import Client
from trimtab.finals import FinalState


def test_the_example_ends_in_a_model_that_answers(
    client: Client, server: str, workers: Workers, tmp_path: Path
) -> None:
    workers.start(server)
    environment = os.environ | {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": TOKEN}
    example = [sys.executable, "-m", "examples.final_model", str(tmp_path / "model.zip")]

    ran = subprocess.run(
        example, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=600
    )

    assert ran.returncode == 0, ran.stderr
    final = client.final("flowers")
    assert final.state is FinalState.COMPLETE
    assert final.test
    assert final.test.examples == 30
    assert final.test.low <= final.test.error <= final.test.high
    assert final.confirmation
    assert [trial.standard_error is not None for trial in final.confirmation.trials] == [True, True]
    assert final.trial == final.confirmation.trials[0].trial
    model, iris = trimtab.load_model(tmp_path / "model.zip"), load_iris()
    assert model.card.test == final.test
    assert (model.predict(iris.data) != iris.target_names[iris.target]).mean() < 0.2
    assert [label in ran.stdout for label in model.predict(FLOWERS)] == [True, True]
    assert [path for path in tmp_path.rglob("model") if path.is_file()] == []
