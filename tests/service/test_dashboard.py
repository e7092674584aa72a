"""Optuna's dashboard reads what the service stores, changes nothing of it, and is seen by who may read."""

import re
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal

from service.children import NoAnswer
from service.dashboard import asking, child
from service.dashboard.asking import Dashboard
from service.storage.optuna_storage import OptunaStorage
from service.web import dashboard, dashboard_script
from tests.service.browsing import browser_of, operators_browser
from tests.service.finishing import searched
from tests.service.long_polls import SOON, wait_until
from tests.service.served import Served
from tests.service.test_children import CHILD, HANGING
from trimtab.client import Client
from trimtab.errors import Unavailable
from trimtab.states import TokenKind

CONNECTIONS = sa.text(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{child.NAME}'")
ROWS = sa.text("SELECT (SELECT count(*) FROM studies), (SELECT count(*) FROM study_user_attributes)")


# Takes an order, and is gone.
DYING = (sys.executable, "-c", CHILD.replace('case b"hang"', "case bytes() if os._exit(1)"))


@pytest.fixture
def at_leisure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its process take its time: on a busy machine it may start for longer than an answer should take."""
    monkeypatch.setattr(asking, "LIMIT_SECONDS", 300.0)


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    return operators_browser(served)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """As the dashboard's process has it."""
    engine = child.reading(database_url)
    yield engine
    engine.dispose()


@pytest.mark.usefixtures("beyond_31_bits", "at_leisure")
def test_it_shows_the_trials_of_a_study_as_optuna_has_them_and_leaves_no_connection(
    browser: httpx2.Client, client: Client, served: Served
) -> None:
    searched(client, 0.25, name="digits")
    led = browser.get("/studies/digits/optuna").headers["Location"]
    study = int(led.removeprefix("/optuna/studies/"))

    studies = browser.get("/optuna/api/studies").json()["study_summaries"]
    shown = browser.get(f"/optuna/api/studies/{study}?after=0")
    csv = browser.get(f"/optuna/csv/{study}")

    assert [(each["study_id"], each["study_name"]) for each in studies] == [(study, "digits")]
    (trial,) = shown.json()["trials"]
    assert (trial["number"], trial["state"], trial["values"]) == (0, "Complete", [0.25])
    assert shown.headers["Content-Encoding"] == "gzip"
    assert csv.text.startswith("Number,State,")
    assert browser.get(f"/optuna/api/studies/{study + 1}").status_code == 404
    wait_until(lambda: _all(served, CONNECTIONS) == [(0,)])


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/optuna/", "/optuna/api/studies", "/optuna/api/studies/1", "/optuna/csv/1"])
def test_whatever_would_change_something_is_refused(browser: httpx2.Client, verb: str, path: str) -> None:
    assert browser.request(verb, path, json={"study_name": "mine"}).status_code == 405


@pytest.mark.parametrize(
    "path", ["studies/1/plot/contour", "llm/trial_filter_query", "artifacts/1", "studies/x", "meta/"]
)
def test_what_its_pages_do_not_need_is_not_asked_of_it(browser: httpx2.Client, path: str) -> None:
    assert browser.get(f"/optuna/api/{path}").status_code == 422


def test_its_connection_refuses_to_write(engine: sa.Engine, served: Served) -> None:
    storage = OptunaStorage(engine)
    before = _all(served, ROWS)

    with pytest.raises(Unavailable):
        storage.create_new_study([])
    with pytest.raises(Unavailable):
        storage.set_study_user_attr(1, "note", "mine")

    assert storage.get_all_studies() == []
    assert _all(served, ROWS) == before


@pytest.mark.parametrize("path", ["/optuna", "/optuna/", "/optuna/studies/1/trials", "/studies/digits/optuna"])
def test_who_has_not_signed_in_is_led_to_where_one_does(served: Served, path: str) -> None:
    answer = browser_of(served).get(path)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=/")


@pytest.mark.parametrize("path", ["/optuna/", "/optuna/api/studies", "/optuna/csv/1", dashboard_script.url()])
def test_a_worker_sees_nothing_of_it(http: httpx2.Client, client: Client, path: str) -> None:
    worker = client.make_token(TokenKind.WORKER, "gpu0").token

    assert http.get(path, headers={"Authorization": f"Bearer {worker}"}).status_code == 403


@pytest.mark.parametrize("path", ["/optuna/", "/optuna/studies/1/trials?numbers=3&exclude=Running"])
def test_every_page_has_a_policy_without_inline_scripts_and_styles(browser: httpx2.Client, path: str) -> None:
    page = browser.get(path)

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert f"'nonce-{_nonce(page)}'" in policy
    assert _nonce(browser.get(path)) != _nonce(page)


def test_its_script_is_kept_for_ever_and_asks_below_our_address(browser: httpx2.Client) -> None:
    answer = browser.get(dashboard_script.url())

    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert not re.findall(rb"\$\{this\.baseURL\}/api|`/csv/|url_prefix:\"/dashboard", answer.content)
    assert browser.get("/optuna/000000000000/bundle.js").status_code == 404


def test_a_script_of_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="this version is not known here"):
        dashboard_script.moved(b"fetch('/elsewhere')")


def test_where_it_is_not_installed_a_page_says_how_to_install_it(
    browser: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "package", lambda: None)

    page = browser.get("/optuna/")

    assert "dashboard is not installed" in page.text
    assert "[service,dashboard]" in page.text


def test_a_study_that_is_not_there_has_no_page_in_it(browser: httpx2.Client) -> None:
    assert browser.get("/studies/digits/optuna").status_code == 404


def test_who_asks_while_too_many_do_is_told_to_come_again(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_WAITING", 0)

    with pytest.raises(Unavailable, match="too many ask"):
        portal.call(_ask, Dashboard(), "postgresql://")


@pytest.mark.usefixtures("at_leisure")
def test_where_the_database_is_away_it_says_so(portal: BlockingPortal) -> None:
    dashboard = Dashboard()

    with pytest.raises(Unavailable, match="the database is away"):
        portal.call(_ask, dashboard, "postgresql+psycopg2://nobody@127.0.0.1:1/nothing")

    dashboard.close()


def test_the_wait_for_ones_turn_is_part_of_the_limit(portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    now, granted, have_all_asked = 0.0, [], threading.Event()

    def take_long(_: bytes, *, seconds: float) -> bytes:
        nonlocal now
        granted.append(seconds)
        assert have_all_asked.wait(SOON)
        now += min(20.0, seconds)
        raise NoAnswer("it hangs")

    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(asking, "LIMIT_SECONDS", 30.0)
    dashboard = Dashboard()
    monkeypatch.setattr(dashboard._children, "answer", take_long)

    asked = [portal.start_task_soon(_ask, dashboard, "postgresql://") for _ in range(5)]
    wait_until(lambda: len(dashboard._thread._waiting) == 4)
    have_all_asked.set()

    said = [str(each.exception(timeout=SOON)).rpartition(": ")[2] for each in asked]
    assert said == ["it hangs"] * 2 + ["nothing came within 30 s"] * 3
    assert granted == [30.0, 10.0]
    dashboard.close()


def test_what_is_late_when_its_turn_comes_is_not_asked(portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LIMIT_SECONDS", 0.0)
    dashboard = Dashboard()

    with pytest.raises(Unavailable, match="nothing came within"):
        portal.call(_ask, dashboard, "postgresql://")

    assert not dashboard._children._idle
    dashboard.close()


@pytest.mark.usefixtures("at_leisure")
def test_where_its_process_dies_it_says_so_and_the_next_has_another(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_COMMAND", DYING)
    dashboard = Dashboard()

    for _ in range(2):
        with pytest.raises(Unavailable, match="its process died"):
            portal.call(_ask, dashboard, "postgresql://")

    dashboard.close()


@pytest.mark.usefixtures("at_leisure")
def test_who_waits_when_the_service_goes_down_hears_so_at_once(
    portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_COMMAND", HANGING)
    dashboard = Dashboard()
    first, second = (portal.start_task_soon(_ask, dashboard, "postgresql://") for _ in range(2))
    wait_until(lambda: bool(dashboard._children._busy) and bool(dashboard._thread._waiting))

    dashboard.close()

    for each in (first, second, portal.start_task_soon(_ask, dashboard, "postgresql://")):
        assert re.search("the service is going down", str(each.exception(timeout=SOON)))


async def _ask(dashboard: Dashboard, database: str) -> object:
    return await dashboard.ask(sa.make_url(database), "/api/studies", "", takes_gzip=False)


def _nonce(page: httpx2.Response) -> str:
    found = re.search(r'nonce="([^"]+)"', page.text)
    assert found
    return found[1]


def _all(served: Served, statement: sa.TextClause) -> list[object]:
    with served.replica.engine.connect() as connection:
        return list(connection.execute(statement))
