"""Studies whose search has come to something, and their final models, as a worker would train them."""

import hashlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from service.finals import make_due
from service.replica import Replica
from tests.service.runs import lease_of
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.finals import ModelFile
from trimtab.protocol import Lease

ERROR = "validation_error"
TESTED = {
    "training_error": 0.05,
    "test_error": 0.1,
    "test_error_low": 0.04,
    "test_error_high": 0.2,
    "test_examples": 30.0,
}


def searched(client: Client, *errors: float, name: str = "study", best_step: float = 7.0) -> None:
    """Create a study of a task, one complete trial for each error."""
    task = {"name": "mlp", "data": {"dataset": "iris"}, "fixed": {"epochs": 20, "patience": 3}}
    space = {
        "learning_rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
        "hidden_units": {"type": "int", "low": 4, "high": 32},
    }
    client.create_study(spec(name, task=task, space=space, objectives=[{"metric": ERROR}], budget={"trials": 20}))
    for error in errors:
        client.tell(lease_of(client, name), "complete", metrics={ERROR: error, "best_step": best_step})


def confirmed(client: Client, *means: float, study: str = "study.confirmation") -> None:
    """End each trial of a confirmation with such a mean."""
    for mean in means:
        metrics = {ERROR: mean, f"{ERROR}_scatter": 0.01, f"{ERROR}_standard_error": 0.02, "best_step": 4.4}
        client.tell(lease_of(client, study), "complete", metrics=metrics)


def send(client: Client, lease: Lease, content: bytes = b"model", sha256: str | None = None) -> ModelFile:
    """Send the file of a model."""
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return client.put_model(lease, Path(file.name), sha256=sha256 or hashlib.sha256(content).hexdigest())


def trained(client: Client, study: str = "study.final", content: bytes = b"model") -> Lease:
    """Train a final model as a worker would: send it, then tell."""
    lease = lease_of(client, study)
    send(client, lease, content)
    client.tell(lease, "complete", metrics=TESTED)
    return lease


def follow(*replicas: Replica) -> None:
    """Let each replica make what final models are due."""
    for replica in replicas:
        make_due(replica)
