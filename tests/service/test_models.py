"""Final models on their way into the store and out of it: under the lease of the trial that made them alone."""

import hashlib
from pathlib import Path

import httpx2
import pytest

from service import litter
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.checkpointing import files
from tests.service.finishing import TESTED, searched, send, trained
from tests.service.runs import lease_of
from tests.service.served import LEASE_SECONDS, Serve
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, Conflict, Invalid, LeaseEnded, LeaseLost, ModelNotFound, StudyDeleted
from trimtab.protocol import Lease
from trimtab.states import Purpose


@pytest.fixture
def lease(client: Client) -> Lease:
    """Of a final model."""
    searched(client, 0.3)
    client.make_final("study")
    return lease_of(client, "study.final")


def test_a_model_that_was_sent_is_fetched_as_it_was(client: Client, lease: Lease, tmp_path: Path) -> None:
    sent = send(client, lease, b"weights")
    client.tell(lease, "complete", metrics=TESTED)

    fetched = client.fetch_model("study", tmp_path / "model.zip")

    assert fetched == sent == client.final("study").model
    assert (tmp_path / "model.zip").read_bytes() == b"weights"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["model.zip"]


def test_a_final_model_that_was_not_sent_or_not_tested_is_not_complete(client: Client, lease: Lease) -> None:
    with pytest.raises(Conflict, match="was not sent"):
        client.tell(lease, "complete", metrics=TESTED)
    send(client, lease)
    with pytest.raises(Invalid, match="test_error"):
        client.tell(lease, "complete", metrics={"training_error": 0.1})

    client.tell(lease, "complete", metrics=TESTED)

    final = client.final("study")
    assert final.model
    assert final.test


def test_the_model_of_an_attempt_before_is_not_this_ones_until_it_sends_the_same(client: Client, lease: Lease) -> None:
    send(client, lease)
    client.tell(lease, "released")
    second = lease_of(client, "study.final")

    with pytest.raises(Conflict, match="was not sent"):
        client.tell(second, "complete", metrics=TESTED)
    send(client, second)

    assert client.tell(second, "complete", metrics=TESTED).state == "complete"


def test_a_final_model_and_a_check_are_given_only_to_workers_that_know_of_them(client: Client) -> None:
    searched(client, *[0.3] * 20)
    client.make_final("study")
    client.check_gradients("study")

    unknowing = client.ask("older", tasks=["mlp"]).leases
    knowing = [client.ask("newer", tasks=["mlp"], purposes=Purpose).leases[0].study for _ in range(2)]

    assert unknowing == []
    assert sorted(knowing) == ["study.check", "study.final"]


def test_a_model_that_is_known_by_its_etag_is_not_sent_again(http: httpx2.Client, client: Client, lease: Lease) -> None:
    sent = send(client, lease)
    client.tell(lease, "complete", metrics=TESTED)

    again = http.get("/v1/studies/study/final/model", headers={"If-None-Match": f'"{sent.sha256}"'})

    assert (again.status_code, again.content) == (304, b"")


def test_there_is_no_model_before_its_trial_is_complete(client: Client, lease: Lease, tmp_path: Path) -> None:
    send(client, lease)

    with pytest.raises(ModelNotFound) as refused:
        client.fetch_model("study", tmp_path / "model.zip")

    assert refused.value.retry_after
    assert client.final("study").model is None


def test_a_model_sent_twice_is_one_and_another_takes_its_place(client: Client, lease: Lease, store: Path) -> None:
    sent = [send(client, lease, content) for content in (b"model", b"model", b"another")]

    assert sent[0] == sent[1] != sent[2]
    assert [path.read_bytes() for path in files(store)] == [b"another"]


def test_a_model_renews_the_lease(client: Client, replica: Replica, lease: Lease) -> None:
    record.execute(replica.engine, "UPDATE trimtab_leases SET expires_at = renewed_at + interval '20 s'")

    send(client, lease)

    given = "SELECT extract(epoch FROM expires_at - renewed_at) FROM trimtab_leases WHERE ended_at IS NULL"
    assert float(str(record.value(replica.engine, given))) == pytest.approx(LEASE_SECONDS, abs=1)


def test_a_zombie_sends_no_model(client: Client, replica: Replica, lease: Lease, store: Path) -> None:
    record.let_leases_run_out(replica.engine)
    sweep(replica)
    send(client, lease_of(client, "study.final"), b"second")

    with pytest.raises(LeaseLost):
        send(client, lease, b"first")

    assert [path.read_bytes() for path in files(store)] == [b"second"]


def test_the_lease_of_another_study_sends_no_model(client: Client, lease: Lease, store: Path) -> None:
    with pytest.raises(Conflict, match="not for a final model"):
        send(client, lease_of(client))

    assert files(store) == []
    send(client, lease)


def test_an_ended_or_deleted_trial_takes_no_model(client: Client, lease: Lease) -> None:
    client.tell(lease, "error", message="no")

    with pytest.raises(LeaseEnded):
        send(client, lease)
    client.delete_study("study.final")
    with pytest.raises(StudyDeleted):
        send(client, lease)


def test_a_model_that_is_not_the_one_announced_is_refused(client: Client, lease: Lease, store: Path) -> None:
    for content, sha256 in ((b"model", "0" * 64), (b"", hashlib.sha256(b"").hexdigest())):
        with pytest.raises(Invalid, match="sha256"):
            send(client, lease, content, sha256)

    assert files(store) == []


def test_a_model_over_the_limit_is_refused(start_replica: Serve, store: Path) -> None:
    client = start_replica(max_checkpoint_bytes=10).client
    searched(client, 0.3)
    client.make_final("study")

    with pytest.raises(BodyTooLarge):
        send(client, lease_of(client, "study.final"), b"x" * 11)

    assert files(store) == []


def test_a_model_larger_than_other_bodies_is_taken(client: Client, lease: Lease) -> None:
    assert send(client, lease, b"x" * 3_000_000).size == 3_000_000


def test_a_model_outlives_the_collection_of_litter(
    client: Client, replica: Replica, lease: Lease, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, lease)
    client.tell(lease, "complete", metrics=TESTED)
    monkeypatch.setattr(litter, "ORPHAN_SECONDS", -1.0)

    litter.forget(replica)

    assert [path.read_bytes() for path in files(store)] == [b"model"]


def test_a_torn_model_is_not_handed_out(client: Client, lease: Lease, store: Path, tmp_path: Path) -> None:
    send(client, lease)
    client.tell(lease, "complete", metrics=TESTED)
    (file,) = files(store)
    file.write_bytes(b"torn")

    with pytest.raises(ModelNotFound, match="torn"):
        client.fetch_model("study", tmp_path / "model.zip")


def test_of_several_final_models_the_newest_is_handed_out(client: Client, tmp_path: Path) -> None:
    searched(client, 0.3)
    client.make_final("study")
    trained(client, content=b"first")
    client.make_final("study", override="better data")
    trained(client, "study.final-2", content=b"second")

    client.fetch_model("study", tmp_path / "model.zip")

    assert (tmp_path / "model.zip").read_bytes() == b"second"
