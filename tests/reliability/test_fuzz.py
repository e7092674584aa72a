"""Whatever fits the description of the API is served as it says, and whatever does not is refused as it says."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.e2e.running import TOKEN
from tests.reliability.fuzzing import defects, fuzz
from tests.reliability.services import services
from tests.service.specs import METRIC, spec
from trimtab.client import Client


@pytest.mark.parametrize("token", [TOKEN, None], ids=["with a token", "without"])
def test_the_service_does_what_its_description_says(database_url: str, tmp_path: Path, token: str | None) -> None:
    with services(tmp_path) as replicas:
        service = replicas.start_ready(database_url)
        found = fuzz(service.url, seed=1, examples=5, token=token)

    assert not found.failures, found.text
    assert found.cases > 500
    assert defects(service) == []


@pytest.mark.parametrize("setting", ["TRIMTAB_ARTIFACTS", "TRIMTAB_DATA_DIR"])
def test_a_service_under_test_works_in_its_own_folder_alone(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    users, own = tmp_path / "users", tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv(setting, str(users))

    with services(own) as replicas, Client(replicas.start_ready(database_url).url, TOKEN) as client:
        put_a_checkpoint(client, tmp_path / "checkpoint")

    assert not users.exists()
    assert any((own / "artifacts").rglob("*"))


def put_a_checkpoint(client: Client, file: Path) -> None:
    file.write_bytes(b"state")
    client.create_study(spec())
    (lease,) = client.ask("worker").leases
    client.report(lease, step=1, metrics={METRIC: 0.5})
    client.put_checkpoint(lease, file, step=1, sha256=sha256(b"state").hexdigest())
