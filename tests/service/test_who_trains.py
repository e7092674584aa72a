"""Whether somebody trains what a study waits for, and what to start where nobody does, as the pages say it."""

import json
import re
from html import unescape

import httpx2
import pytest
import sqlalchemy as sa

from service import workers
from service.replica import Replica
from service.web.offered import own_tasks
from tests.service import record
from tests.service.browsing import form_key, operators_browser
from tests.service.served import Served
from tests.service.specs import body, spec
from trimtab.client import Client

OWN = {"name": "mine:net"}
OBJECTIVES = [{"metric": "validation_error"}]
SPACE = body()["space"]

TRIALS = "/studies/study/trials"
PAGES = ("/", "/studies/study", TRIALS, f"{TRIALS}/0", f"/fragments{TRIALS}/0")

# More than are read at once, each with a name before any other; what they say they have, nobody has any more.
SILENT = """
    INSERT INTO trimtab_workers (name, tasks, last_seen_at)
    SELECT 'a' || n, '{mine:net, gone:net}', now() - interval '1 hour' FROM generate_series(1, 1500) AS n
"""
ALIVE = "INSERT INTO trimtab_workers (name, tasks) VALUES ('z', '{mlp, mine:net}')"
LONG_AGO = "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 hour'"


@pytest.fixture
def browser(served: Served) -> httpx2.Client:
    """Whoever has signed in with the operator's token."""
    return operators_browser(served)


def commands(page: httpx2.Response) -> list[str]:
    """Return the commands that a page gives for a worker."""
    assert page.status_code == 200, page.text
    return [unescape(code) for code in re.findall(r"<code>(python -m workers[^<]*)</code>", page.text)]


def advised(browser: httpx2.Client) -> list[str]:
    """Return the commands that whoever writes a study with the task is told."""
    data = {"form_key": form_key(browser.get("/")), "spec": json.dumps(body("new", task=OWN, objectives=OBJECTIVES))}
    return [advice["command"] for advice in browser.post("/new/draft", data=data).json()["advice"]]


def test_a_live_worker_is_found_behind_any_number_of_silent_ones(
    client: Client, engine: sa.Engine, replica: Replica, browser: httpx2.Client
) -> None:
    client.create_study(spec(task=OWN, objectives=OBJECTIVES))
    record.execute(engine, SILENT)
    before = (commands(browser.get("/studies/study")), advised(browser), own_tasks(replica))

    record.execute(engine, ALIVE)
    after = (commands(browser.get("/studies/study")), advised(browser), own_tasks(replica))

    start = ["python -m workers --allow mine:net"]
    assert before == (start, start, [])
    assert after == ([], [], ["mine:net"])


def test_who_is_only_heard_of_by_the_trial_that_it_is_on_is_alive(
    client: Client, engine: sa.Engine, replica: Replica
) -> None:
    client.create_study(spec(task=OWN, objectives=OBJECTIVES))
    assert client.ask("busy", tasks=["mine:net"]).leases
    client.ask("idle", tasks=["gone:net"])

    record.execute(engine, LONG_AGO)

    assert workers.tasks(replica) == {"mine:net"}


def test_every_page_gives_the_command_that_starts_a_worker_with_the_task(
    client: Client, browser: httpx2.Client
) -> None:
    client.create_study(spec(task=OWN, objectives=OBJECTIVES))
    empty = browser.get(TRIALS)
    client.enqueue("study", {"x": 0.5})

    pages = [empty, *map(browser.get, PAGES)]

    assert [commands(page) for page in pages] == [["python -m workers --allow mine:net"]] * len(pages)


def test_no_page_sends_for_a_worker_where_whoever_asks_trains(client: Client, browser: httpx2.Client) -> None:
    client.create_study(spec())
    empty = browser.get(TRIALS)
    client.enqueue("study", {"x": 0.5})

    pages = [empty, *map(browser.get, PAGES)]

    assert [commands(page) for page in pages] == [[]] * len(pages)
    assert 'trimtab.trials("study")' in browser.get(f"{TRIALS}/0").text


def test_the_list_gives_each_command_once(client: Client, engine: sa.Engine, browser: httpx2.Client) -> None:
    client.create_study(spec("without"))
    for number, task in enumerate(("mlp", "cnn", "mine:net", "mine:net", "gone:net")):
        space = SPACE if ":" in task else None
        client.create_study(spec(f"study{number}", task={"name": task}, objectives=OBJECTIVES, space=space))
    nobody = commands(browser.get("/"))
    record.execute(engine, ALIVE)

    somebody = commands(browser.get("/"))

    assert nobody == ["python -m workers", "python -m workers --allow gone:net", "python -m workers --allow mine:net"]
    assert somebody == ["python -m workers", "python -m workers --allow gone:net"]
