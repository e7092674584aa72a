import re

import pytest

from tests.service.runs import complete, lease_of, report
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.spec import StudySpec

PAGE = "/studies/study/trials"
HOSTILE = "<script>alert(1)</script>\u202e"


def shown(served: Served, address: str = PAGE) -> str:
    answer = served.http.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(page: str) -> list[int]:
    """The numbers of the trials on a page, in their order."""
    return [int(number) for number in re.findall(r'<tr data-key="(\d+)"', page)]


def links(page: str, text: str) -> list[str]:
    return [href.replace("&amp;", "&") for href in re.findall(rf'<a href="([^"]*)"[^>]*>{text}', page)]


@pytest.fixture
def study(client: Client) -> Client:
    """A client of a study with two complete trials, one that failed and one that runs, by number."""
    client.create_study(spec())
    complete(client, [0.5])
    complete(client, [0.25])
    client.tell(lease_of(client), "diverged")
    report(client, lease_of(client), 1, 0.125)
    return client


def test_the_newest_trials_come_first_and_the_best_is_marked(study: Client, served: Served) -> None:
    page = shown(served)

    assert rows(page) == [3, 2, 1, 0]
    assert re.findall(r'data-key="(\d+)" data-state="\w+" class="best"', page) == ["1"]
    assert "4  trials" in page


def test_a_heading_sorts_and_once_more_the_other_way_round(study: Client, served: Served) -> None:
    (by_error,) = links(shown(served), METRIC)
    lowest_first = shown(served, PAGE + by_error)
    (turned,) = links(lowest_first, METRIC)

    assert rows(lowest_first)[:2] == [1, 0]
    assert 'aria-sort="ascending"' in lowest_first
    assert rows(shown(served, PAGE + turned))[:2] == [0, 1]
    assert 'aria-sort="descending"' in shown(served, PAGE + turned)


def test_a_state_has_its_own_page_which_stays_sorted(study: Client, served: Served) -> None:
    by_error = shown(served, f"{PAGE}?sort=value.{METRIC}")

    (complete_ones,) = links(by_error, "Complete")

    assert rows(shown(served, PAGE + complete_ones)) == [1, 0]
    assert "No trial is pruned" in shown(served, f"{PAGE}?state=pruned")


def test_what_a_running_trial_has_reported_last_is_shown_and_kept_alive(study: Client, served: Served) -> None:
    page = shown(served)

    assert f'data-metric="{METRIC}">0.125</td>' in page
    (fragment,) = re.findall(r'data-fragment="([^"]*)"', page)
    assert rows(shown(served, fragment)) == [3, 2, 1, 0]


def test_pages_lead_from_the_first_to_the_last(client: Client, served: Served) -> None:
    client.create_study(spec(budget={"trials": 101}))
    client.ask("worker", study="study", count=101)

    first = shown(served)
    (last,) = links(first, "Last")

    assert rows(first) == list(range(100, 50, -1))
    assert "page 1 of 3" in first
    assert rows(shown(served, PAGE + last)) == [0]
    assert "data-fragment" not in shown(served, PAGE + last)
    assert "no trials on this page" in shown(served, f"{PAGE}?page=9")


def test_of_many_parameters_the_first_are_shown_and_those_that_are_wanted(client: Client, served: Served) -> None:
    space = {f"x{n}": {"type": "float", "low": 0.0, "high": 1.0} for n in range(9)}
    client.create_study(spec(space=space))
    complete(client, [0.5])

    usual = shown(served)
    wanted = shown(served, f"{PAGE}?show=x7&show=x8&sort=param.x6")

    assert [name for name in space if links(usual, name)] == ["x0", "x1", "x2", "x3", "x4"]
    assert [name for name in space if links(wanted, name)] == ["x6", "x7", "x8"]
    assert "3 of 9 parameters are shown" in wanted


def test_hostile_values_are_text(client: Client, served: Served) -> None:
    client.create_study(spec(space={"x": {"type": "categorical", "choices": [HOSTILE]}}))
    lease = lease_of(client)
    client.tell(lease, "error", message=HOSTILE)

    page = shown(served)

    assert "<script>alert" not in page
    assert f"<bdi>&lt;script&gt;alert(1)&lt;/script&gt;{HOSTILE[-1]}</bdi>" in page


def test_a_study_without_trials_says_what_to_do_next(client: Client, served: Served) -> None:
    client.create_study(spec())
    client.create_study(
        StudySpec.model_validate_json('{"name": "digits", "task": {"name": "mlp", "data": {"dataset": "digits"}}}')
    )

    assert 'trimtab.trials("study")' in shown(served)
    assert "python -m workers" in shown(served, "/studies/digits/trials")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/studies/other/trials", 404),
        ("/studies/%3Cscript%3E/trials", 422),
        (f"{PAGE}?sort=param.y", 422),
        (f"{PAGE}?page=0", 422),
        (f"{PAGE}?page=99999999999", 422),
        (f"{PAGE}?state=lost", 422),
        (f"{PAGE}?other=1", 422),
    ],
)
def test_what_is_not_there_is_refused_on_a_page(study: Client, served: Served, address: str, status: int) -> None:
    answer = served.http.get(address)

    assert answer.status_code == status
    assert "This page cannot be shown" in answer.text
    assert "<script>" not in answer.text
