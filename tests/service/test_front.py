"""The front of a study: the trials that no other beats, page by page."""

from collections.abc import Sequence

import httpx2
from hypothesis import given
from hypothesis import strategies as st

from service import pareto
from tests.service.runs import lease_of
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.objectives import Objective
from trimtab.states import Direction

TWO = [{"metric": "error"}, {"metric": "accuracy", "direction": "maximize"}]


def objectives(count: int) -> list[Objective]:
    directions = [Direction.MINIMIZE, Direction.MAXIMIZE, Direction.MINIMIZE]
    return [Objective(metric=f"m{each}", direction=directions[each]) for each in range(count)]


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


@given(st.integers(2, 3).flatmap(lambda count: st.lists(st.lists(st.integers(-4, 4), min_size=count, max_size=count))))
def test_the_front_is_what_no_other_trial_beats(losses: list[list[int]]) -> None:
    of = objectives(len(losses[0]) if losses else 2)
    signs = [1 if each.direction is Direction.MINIMIZE else -1 for each in of]
    ranked = [(10 + at, [s * loss for s, loss in zip(signs, one, strict=True)]) for at, one in enumerate(losses)]

    found = pareto.front(ranked, of)

    assert found == [10 + at for at, one in enumerate(losses) if not any(beats(other, one) for other in losses)]


def with_front(client: Client, count: int) -> None:
    client.create_study(spec(objectives=TWO, budget={"trials": count}))
    for at in range(count):
        client.tell(lease_of(client), "complete", metrics={"error": 0.1 * at, "accuracy": 0.1 * at})


def test_the_front_comes_in_pages_by_number(client: Client, http: httpx2.Client) -> None:
    with_front(client, 5)

    first = http.get("/v1/studies/study/best-trials", params={"limit": 3}).json()
    second = http.get("/v1/studies/study/best-trials", params={"limit": 3, "cursor": first["next"]}).json()

    assert [trial["number"] for trial in first["items"]] == [0, 1, 2]
    assert [trial["number"] for trial in second["items"]] == [3, 4]
    assert second["next"] is None


def test_a_page_of_the_front_has_a_hundred_trials_and_the_client_reads_all(client: Client, http: httpx2.Client) -> None:
    with_front(client, 102)

    found = http.get("/v1/studies/study/best-trials").json()

    assert len(found["items"]) == 100
    assert [trial.number for trial in client.best_trials("study")] == list(range(102))


def test_the_best_of_one_objective_is_on_the_first_page_alone(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    client.tell(lease_of(client), "complete", metrics={"error": 0.1})

    beyond = http.get("/v1/studies/study/best-trials", params={"cursor": "0"}).json()

    assert [trial.number for trial in client.best_trials("study")] == [0]
    assert beyond == {"items": [], "next": None}
