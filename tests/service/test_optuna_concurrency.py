"""What several writers do to one study or one trial through Optuna's storage."""

import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from optuna.distributions import CategoricalDistribution, FloatDistribution, distribution_to_json
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from service.storage.optuna_storage import OptunaStorage
from trimtab.errors import Unavailable

# Whoever holds a lock here lets go of it when somebody waits, which a slow machine notices late.
pytestmark = pytest.mark.usefixtures("unhurried")

UNIT = FloatDistribution(0, 1)

INSERT_PARAM = sa.text("""
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    VALUES (:trial_id, 'x', 0.1, :distribution)
""")

Write = Callable[[OptunaStorage, int], object]


@pytest.fixture
def study_id(storage: OptunaStorage) -> int:
    return storage.create_new_study([StudyDirection.MINIMIZE], "study")


@pytest.fixture
def trial_id(storage: OptunaStorage, study_id: int) -> int:
    return storage.create_new_trial(study_id)


@pytest.fixture
def background() -> Iterator[Callable[..., Future[object]]]:
    with ThreadPoolExecutor(8) as executor:
        yield executor.submit


def wait_until_blocked(engine: sa.Engine) -> None:
    """Return once a connection to this database waits for a lock of another."""
    statement = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 45
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(statement).scalar_one():
            assert time.monotonic() < deadline, "nobody waits"


WRITES: dict[str, Write] = {
    "value": lambda storage, trial_id: storage.set_trial_intermediate_value(trial_id, 1, 0.5),
    "parameter": lambda storage, trial_id: storage.set_trial_param(trial_id, "x", 0.5, UNIT),
    "user attribute": lambda storage, trial_id: storage.set_trial_user_attr(trial_id, "a", 1),
    "system attribute": lambda storage, trial_id: storage.set_trial_system_attr(trial_id, "a", 1),
    "state": lambda storage, trial_id: storage.set_trial_state_values(trial_id, TrialState.FAIL),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_waited_for_the_end_of_the_trial_is_refused(
    storage: OptunaStorage,
    engine: sa.Engine,
    trial_id: int,
    background: Callable[..., Future[object]],
    write: Write,
) -> None:
    with engine.begin() as ending:
        ending.execute(sa.text("UPDATE trials SET state = 'COMPLETE'"))

        late = background(write, storage, trial_id)
        wait_until_blocked(engine)

    with pytest.raises(UpdateFinishedTrialError, match="trial 0 is finished"):
        late.result()
    trial = storage.get_trial(trial_id)
    assert (trial.state, trial.params, trial.intermediate_values) == (TrialState.COMPLETE, {}, {})
    assert (trial.user_attrs, trial.system_attrs) == ({}, {})


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_in_a_study_that_is_being_deleted_finds_no_trial(
    storage: OptunaStorage,
    engine: sa.Engine,
    trial_id: int,
    background: Callable[..., Future[object]],
    write: Write,
) -> None:
    with engine.begin() as deleting:
        deleting.execute(sa.text("DELETE FROM studies"))

        late = background(write, storage, trial_id)
        wait_until_blocked(engine)

    with pytest.raises(KeyError, match="there is no trial"):
        late.result()


@pytest.mark.parametrize(
    "write",
    [
        lambda storage, study_id: storage.create_new_trial(study_id),
        lambda storage, study_id: storage.set_study_user_attr(study_id, "a", 1),
        lambda storage, study_id: storage.set_study_system_attr(study_id, "a", 1),
        lambda storage, study_id: storage.delete_study(study_id),
    ],
    ids=["new trial", "user attribute", "system attribute", "deletion"],
)
def test_a_write_to_a_study_that_is_being_deleted_finds_no_study(
    storage: OptunaStorage,
    engine: sa.Engine,
    study_id: int,
    background: Callable[..., Future[object]],
    write: Write,
) -> None:
    with engine.begin() as deleting:
        deleting.execute(sa.text("DELETE FROM studies"))

        late = background(write, storage, study_id)
        wait_until_blocked(engine)

    with pytest.raises(KeyError, match="there is no study"):
        late.result()


def test_a_study_that_is_being_written_to_is_deleted_all_the_same(
    storage: OptunaStorage, engine: sa.Engine, study_id: int, trial_id: int, background: Callable[..., Future[object]]
) -> None:
    with engine.begin() as writing:
        writing.execute(sa.text("SELECT FROM trials FOR SHARE"))
        writing.execute(
            sa.text("INSERT INTO trial_user_attributes (trial_id, key) VALUES (:trial_id, 'a')"), {"trial_id": trial_id}
        )

        deletion = background(storage.delete_study, study_id)
        wait_until_blocked(engine)

    deletion.result()
    assert storage.get_all_studies() == []
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM trial_user_attributes")).scalar_one() == 0


def test_of_two_writers_of_a_parameter_the_second_is_told(
    storage: OptunaStorage, engine: sa.Engine, trial_id: int, background: Callable[..., Future[object]]
) -> None:
    with engine.begin() as first:
        first.execute(sa.text("SELECT FROM studies FOR NO KEY UPDATE"))
        first.execute(INSERT_PARAM, {"trial_id": trial_id, "distribution": distribution_to_json(UNIT)})

        second = background(storage.set_trial_param, trial_id, "x", 0.2, UNIT)
        wait_until_blocked(engine)

    with pytest.raises(ValueError, match="another value"):
        second.result()
    assert storage.get_trial_param(trial_id, "x") == 0.1


def test_of_two_writers_of_a_step_the_later_one_holds(
    storage: OptunaStorage, engine: sa.Engine, trial_id: int, background: Callable[..., Future[object]]
) -> None:
    with engine.begin() as first:
        first.execute(
            sa.text(
                "INSERT INTO trial_intermediate_values"
                " (trial_id, step, intermediate_value, intermediate_value_type) VALUES (:trial_id, 1, 0.1, 'FINITE')"
            ),
            {"trial_id": trial_id},
        )

        second = background(storage.set_trial_intermediate_value, trial_id, 1, 0.2)
        wait_until_blocked(engine)

    second.result()
    assert storage.get_trial(trial_id).intermediate_values == {1: 0.2}


def test_a_parameter_is_of_the_kind_that_whoever_was_first_chose(
    storage: OptunaStorage,
    engine: sa.Engine,
    study_id: int,
    trial_id: int,
    background: Callable[..., Future[object]],
) -> None:
    other_trial = storage.create_new_trial(study_id)
    with engine.begin() as first:
        first.execute(sa.text("SELECT FROM studies FOR NO KEY UPDATE"))
        first.execute(INSERT_PARAM, {"trial_id": other_trial, "distribution": distribution_to_json(UNIT)})

        second = background(storage.set_trial_param, trial_id, "x", 0, CategoricalDistribution((1, 2)))
        wait_until_blocked(engine)

    with pytest.raises(ValueError, match="different distribution kind"):
        second.result()
    assert storage.get_trial_params(trial_id) == {}


def test_a_waiting_trial_is_taken_by_one_only(
    storage: OptunaStorage, study_id: int, background: Callable[..., Future[object]]
) -> None:
    waiting = storage.create_new_trial(study_id, create_trial(state=TrialState.WAITING))

    calls = [background(storage.set_trial_state_values, waiting, TrialState.RUNNING) for _ in range(8)]

    assert sorted(bool(call.result()) for call in calls) == [False] * 7 + [True]


def test_numbers_are_given_once_and_without_a_gap(
    storage: OptunaStorage, study_id: int, background: Callable[..., Future[object]]
) -> None:
    replicas = [storage, pickle.loads(pickle.dumps(storage))]

    calls = [background(replicas[i % 2].create_new_trial, study_id) for i in range(60)]
    ids = {call.result() for call in calls}

    trials = storage.get_all_trials(study_id)
    assert {trial._trial_id for trial in trials} == ids
    assert sorted(trial.number for trial in trials) == list(range(60))


def test_numbers_never_repeat_whatever_the_isolation(
    engine: sa.Engine, study_id: int, background: Callable[..., Future[object]]
) -> None:
    storage = OptunaStorage(engine.execution_options(isolation_level="REPEATABLE READ"))

    calls = [background(storage.create_new_trial, study_id) for _ in range(60)]
    errors = {type(call.exception()) for call in calls if call.exception()}

    numbers = [trial.number for trial in storage.get_all_trials(study_id)]
    assert errors <= {Unavailable, sa.exc.IntegrityError}
    assert numbers == list(range(len(numbers)))
