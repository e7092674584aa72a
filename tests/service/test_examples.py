"""Each study of the examples does what it is an example of, from its first trial to its end."""

import json
import math
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.sampling import suggester
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.spec import StudySpec
from trimtab.states import Decision, StudyState
from trimtab.tasks import TASKS

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/studies").glob("*.json"))
NAMES = [path.stem for path in EXAMPLES]
STEPS = 9


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process for slow samplers takes seconds to start: real trials take longer."""
    for name in ("LIMIT_SECONDS", "PLACE_SECONDS", "TURN_SECONDS"):
        monkeypatch.setattr(suggester, name, 120.0)


def run(client: Client, lease: Lease, metrics: list[str]) -> None:
    """Train for nobody: the error falls to what the learning rate gives, until the trial is stopped."""
    rate = float(str(lease.params["learning_rate"]))
    for step in range(1, STEPS + 1):
        figures: dict[str, float | None] = dict.fromkeys(metrics, (math.log10(rate) + 2) ** 2 + 1 / step)
        if client.report(lease, step=step, metrics=figures).verdict is Decision.STOP:
            client.tell(lease, "pruned")
            return
    client.tell(lease, "complete", metrics=figures)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_runs_to_its_end(client: Client, http: httpx2.Client, path: Path) -> None:
    spec: dict[str, Any] = json.loads(path.read_text())
    http.post("/v1/studies", json=spec).raise_for_status()

    while leases := client.ask("worker", tasks=TASKS, study=path.stem).leases:
        run(client, leases[0], [each["metric"] for each in spec["objectives"]])

    study = client.study(path.stem)
    trials = list(client.trials(path.stem))
    assert study.state is StudyState.COMPLETE
    assert len(trials) == study.spec.budget.trials
    assert [trial.fallback for trial in trials if trial.fallback] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_is_trained_by_any_worker(path: Path) -> None:
    spec = StudySpec.model_validate_json(path.read_text())

    assert spec.task is not None
    assert spec.task.name in TASKS
    assert spec.warnings == []


@pytest.mark.parametrize("kind", ["sampler", "pruner"])
def test_there_is_an_example_of_each(kind: str) -> None:
    described = StudySpec.model_json_schema()["properties"][kind]

    examples = {name.removeprefix(f"{kind}_") for name in NAMES if name.startswith(kind)}

    assert examples == {*described["discriminator"]["mapping"]}
