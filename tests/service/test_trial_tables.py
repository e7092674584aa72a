import pytest

from service import trial_tables
from service.trial_tables import Asked
from tests.service.runs import complete, lease_of, report
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Invalid, StudyNotFound
from trimtab.states import TrialState

SPACE = {
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
    "beta2": {"type": "float", "low": 0.9, "high": 0.999, "when": {"optimizer": ["adam"]}},
    "layers": {"type": "int", "low": 1, "high": 2},
    "units": {"type": "int", "low": 1, "high": 99, "per": "layers"},
}
POINTS = [
    {"momentum": 0.5, "optimizer": "adam", "beta2": 0.95, "layers": 1, "units": [50]},
    {"momentum": 0.9, "optimizer": "sgd", "layers": 2, "units": [7, 90]},
    {"momentum": 0.7, "optimizer": "adam", "beta2": 0.9, "layers": 1, "units": [60]},
]
ERRORS = [0.25, 0.5, 0.125]


def asked(sort: str = "number", state: TrialState | None = None, offset: int = 0, limit: int = 50) -> Asked:
    return Asked(state, sort.removeprefix("-"), sort.startswith("-"), offset, limit)


def numbers(served: Served, sort: str = "number", study: str = "study", **others: object) -> list[int]:
    table = trial_tables.page(served.replica, study, asked(sort, **others))  # type: ignore[arg-type]  # as given
    return [trial.number for trial in table.trials]


@pytest.fixture
def three(client: Client) -> Client:
    """A client of a study of three complete trials, by ERRORS and POINTS."""
    client.create_study(spec(space=SPACE))
    for error, point in zip(ERRORS, POINTS, strict=True):
        client.enqueue("study", point)
        complete(client, [error])
    return client


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("number", [0, 1, 2]),
        ("-number", [2, 1, 0]),
        (f"value.{METRIC}", [2, 0, 1]),
        (f"-value.{METRIC}", [1, 0, 2]),
        ("param.momentum", [0, 2, 1]),
        ("-param.momentum", [1, 2, 0]),
        ("param.optimizer", [1, 0, 2]),
        ("param.beta2", [2, 0, 1]),
        ("-param.beta2", [0, 2, 1]),
        ("param.units", [1, 0, 2]),
        ("state", [0, 1, 2]),
    ],
)
def test_trials_are_sorted_by_what_they_have_and_those_without_come_last(
    three: Client, served: Served, sort: str, expected: list[int]
) -> None:
    assert numbers(served, sort) == expected


def test_the_trials_of_a_state_are_a_table_of_their_own(three: Client, served: Served) -> None:
    lease = lease_of(three)
    three.tell(lease, "error", message="no such file")
    lease_of(three)

    table = trial_tables.page(served.replica, "study", asked("-param.momentum", TrialState.FAIL))

    assert ([trial.number for trial in table.trials], table.total) == ([lease.trial], 1)
    assert numbers(served, f"value.{METRIC}", state=TrialState.COMPLETE) == [2, 0, 1]
    assert numbers(served, state=TrialState.RUNNING) == [4]
    assert numbers(served, "state")[0] == 4


def test_pages_follow_each_other_without_a_gap(three: Client, served: Served) -> None:
    pages = [numbers(served, f"value.{METRIC}", offset=offset, limit=2) for offset in (0, 2, 4)]

    assert pages == [[2, 0], [1], []]
    assert numbers(served, "-number", offset=1, limit=1) == [1]


def test_a_table_is_up_to_date_however_often_it_was_looked_at(three: Client, served: Served) -> None:
    running = lease_of(three)
    assert numbers(served, f"value.{METRIC}") == [2, 0, 1, 3]

    report(three, running, 1, 0.375)
    three.tell(running, "complete", metrics={METRIC: 0.375})
    complete(three, [0.0625])

    assert numbers(served, f"value.{METRIC}") == [4, 2, 0, 3, 1]
    assert sorted(numbers(served, "duration")) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("sort", ["", "error", "value.other", "param.", "param.1-momentum", "param.units_1"])
def test_what_no_trial_has_sorts_nothing(three: Client, served: Served, sort: str) -> None:
    with pytest.raises(Invalid, match="cannot be sorted"):
        numbers(served, sort)


def test_a_study_that_is_not_there_has_no_table(served: Served) -> None:
    with pytest.raises(StudyNotFound):
        numbers(served, study="other")
