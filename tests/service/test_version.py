"""What serves is said; who speaks another version of the protocol is turned away with a remedy."""

from importlib.metadata import version

import httpx2
import pytest

from service.migrate import ROOT
from tests.service.served import Served
from trimtab.client import Client
from trimtab.errors import ProtocolMismatch
from trimtab.protocol import PROTOCOL


def test_the_service_says_its_release_its_schemas_and_its_protocol(client: Client) -> None:
    newest = max(path.name[:4] for path in (ROOT / "migrations/versions").glob("[0-9]*.py"))

    found = client.version()

    assert (found.service, found.schema_version, found.protocol) == (version("trimtab"), newest, PROTOCOL)
    assert found.optuna_schema.startswith("v")
    assert int(found.postgresql.partition(".")[0]) >= 15


def test_on_the_wire_the_schema_is_called_so(http: httpx2.Client) -> None:
    answer = http.get("/v1/version")

    assert sorted(answer.json()) == ["optuna_schema", "postgresql", "protocol", "schema", "service"]


def test_the_client_says_which_protocol_it_speaks(served: Served) -> None:
    seen: list[str | None] = []

    class Noting(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            seen.append(request.headers.get("Trimtab-Protocol"))
            return served.http._transport.handle_request(request)

    Client("http://testserver", "ttk_of-the-tests", transport=Noting()).version()

    assert seen == ["1"]


@pytest.mark.parametrize(
    ("spoken", "remedy"),
    [
        ("2", "upgrade the service"),
        ("9" * 300, "upgrade the service"),
        ("0", "upgrade trimtab where the request comes from"),
        ("banana", "send Trimtab-Protocol: 1, or no such header"),
        ("", "send Trimtab-Protocol: 1, or no such header"),
    ],
)
def test_another_protocol_is_refused_with_a_remedy(http: httpx2.Client, spoken: str, remedy: str) -> None:
    answer = http.post("/v1/leases", headers={"Trimtab-Protocol": spoken}, content="{")

    assert (answer.status_code, answer.json()["code"]) == (400, "protocol_mismatch")
    said = answer.json()["detail"]
    assert said == f"the service speaks protocol 1, and this request protocol {spoken[:20]!r}: {remedy}"


def test_a_client_raises_the_refusal(served: Served) -> None:
    class Newer(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            request.headers["Trimtab-Protocol"] = "2"
            return served.http._transport.handle_request(request)

    with pytest.raises(ProtocolMismatch, match="upgrade the service"):
        Client("http://testserver", "ttk_of-the-tests", transport=Newer()).version()


@pytest.mark.parametrize("spoken", [{}, {"Trimtab-Protocol": "1"}, {"Trimtab-Protocol": "1.7"}])
def test_the_same_protocol_and_none_are_served(http: httpx2.Client, spoken: dict[str, str]) -> None:
    answer = http.get("/v1/studies", headers=spoken)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json"])
def test_what_is_open_is_so_in_every_protocol(http: httpx2.Client, path: str) -> None:
    answer = http.get(path, headers={"Trimtab-Protocol": "2"})

    assert answer.status_code == 200
