"""Studies of a higher priority are served first."""

import httpx2
import pytest

from tests.service.specs import body, spec
from trimtab.client import Client


def served(client: Client, asks: int) -> list[str]:
    """Return the studies that so many asks are served from."""
    return [client.ask("worker").leases[0].study for _ in range(asks)]


def test_the_trials_of_the_highest_priority_are_handed_out_before_any_other(client: Client) -> None:
    client.create_study(spec("usual", budget={"trials": 2}))
    client.create_study(spec("urgent", budget={"trials": 2}, priority=5))
    client.create_study(spec("idle", budget={"trials": 2}, priority=-5))

    assert served(client, 6) == ["urgent", "urgent", "usual", "usual", "idle", "idle"]


def test_studies_of_one_priority_share_the_workers(client: Client) -> None:
    for name in ("one", "two"):
        client.create_study(spec(name, priority=1))

    assert served(client, 4) == ["one", "two", "one", "two"]


def test_a_trial_that_waits_for_its_next_attempt_gives_way_to_a_higher_priority(client: Client) -> None:
    client.create_study(spec("usual"))
    client.tell(client.ask("worker").leases[0], "released")
    client.create_study(spec("urgent", priority=1))

    assert served(client, 1) == ["urgent"]


def test_a_change_of_priority_holds_from_the_next_ask_on(client: Client) -> None:
    client.create_study(spec("one", priority=1))
    client.create_study(spec("two"))
    first = served(client, 2)

    client.change_study("two", priority=2)

    assert first + served(client, 2) == ["one", "one", "two", "two"]


def test_a_study_that_is_named_is_served_whatever_its_priority(client: Client) -> None:
    client.create_study(spec("urgent", priority=9))
    client.create_study(spec("idle", priority=-9))

    assert client.ask("worker", study="idle").leases[0].study == "idle"


@pytest.mark.parametrize("priority", [2**31, -(2**31) - 1, 0.5, "1", True])
def test_a_priority_is_an_integer_of_32_bits(http: httpx2.Client, priority: object) -> None:
    answer = http.post("/v1/studies", json=body(priority=priority))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "priority")
