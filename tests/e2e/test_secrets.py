"""No token is in a log or in the environment of who trains, whatever is done with it."""

import json
from pathlib import Path

import httpx2
import pytest

from service import tokens
from tests.e2e import studies
from tests.e2e.running import PATIENCE_SECONDS, TOKEN, Workers
from tests.reliability.services import services
from trimtab.client import Client
from trimtab.states import TokenKind, TrialState

PREFIX = "ttk_"


def test_no_token_is_in_a_log_or_in_the_environment_of_who_trains(
    database_url: str, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_LOG_FORMAT", "json")
    monkeypatch.setenv("TRIMTAB_LOG_LEVEL", "debug")
    with services(tmp_path) as starting:
        service = starting.start_ready(database_url)
        with Client(service.url, TOKEN) as client:
            made = client.make_token("worker", "pool")
            studies.create(client, fixed=studies.ENDLESS)
            worker = workers.start(service.url, token=made.token)
            studies.reached(client, TrialState.RUNNING, reports=1)
            environment = worker.child().environ()
            client.stop_trial("study", 0)
            studies.reached(client, TrialState.PRUNED)
            client.revoke_token(made.id)
        unknown = tokens.made(TokenKind.USER)
        for sent in (unknown, f"{unknown}x", made.token):
            refused = httpx2.get(
                f"{service.url}/v1/studies?token={sent}",
                headers={"Authorization": f"Bearer {sent}"},
                trust_env=False,
                timeout=PATIENCE_SECONDS,
            )
            assert refused.status_code == 401
        worker.wait()
        service.end()

    assert "serving on" in service.log.read_text()
    assert "the operator's token is in TRIMTAB_ADMIN_TOKEN" in service.log.read_text()
    assert "trial 0" in worker.said()
    assert PREFIX not in service.log.read_text()
    assert PREFIX not in worker.said()
    assert not [name for name, value in environment.items() if PREFIX in value]
    *said, last = worker.said().splitlines()
    assert last.startswith("trimtab: the token is not valid")
    for line in [*service.log.read_text().splitlines(), *said]:
        assert {"time", "level", "logger", "message"} <= set(json.loads(line))
