"""Optuna's storage over PostgreSQL: all that Optuna asks of one, and what its own lets through."""

import math
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import optuna
import pytest
import sqlalchemy as sa
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.testing.pytest_storages import StorageTestCase
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.pool import NullPool

from service.storage.optuna_storage import OptunaStorage
from tests.service import record
from trimtab.errors import Unavailable

MINIMIZE = [StudyDirection.MINIMIZE]
UNIT = FloatDistribution(0, 1)

OPTUNAS_TABLES = (
    "studies",
    "study_directions",
    "study_user_attributes",
    "study_system_attributes",
    "trials",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
)


@pytest.fixture
def study_id(storage: OptunaStorage) -> int:
    return storage.create_new_study(MINIMIZE, "study")


@pytest.fixture
def trial_id(storage: OptunaStorage, study_id: int) -> int:
    return storage.create_new_trial(study_id)


@pytest.fixture
def optunas_own(database_url: str) -> Iterator[RDBStorage]:
    storage = RDBStorage(database_url, engine_kwargs={"poolclass": NullPool})
    yield storage
    storage.remove_session()


class TestOptunasOwnSuite(StorageTestCase):
    """Optuna's conformance tests."""


def rows(engine: sa.Engine) -> dict[str, int]:
    """Return how many rows each of Optuna's tables has."""
    with engine.connect() as connection:
        return {
            table: connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in OPTUNAS_TABLES
        }


def full_trial(state: TrialState = TrialState.COMPLETE, **changes: Any) -> FrozenTrial:
    """Return a trial with something in each of Optuna's tables."""
    given: dict[str, Any] = {
        "state": state,
        "values": [0.5] if state is TrialState.COMPLETE else None,
        "params": {"rate": 1e-3, "layers": 3, "kind": "b", "off": None},
        "distributions": {
            "rate": FloatDistribution(1e-5, 1, log=True),
            "layers": IntDistribution(1, 9, step=2),
            "kind": CategoricalDistribution(("a", "b")),
            "off": CategoricalDistribution((None, 1, 2.5, True)),
        },
        "user_attrs": {"note": "ünï\0cödé", "list": [1, {"deep": None}]},
        "system_attrs": {"nan": math.inf},
        "intermediate_values": {1: 0.9, 2: math.inf, 3: -math.inf, 4: math.nan, 2**31 - 1: 1e-308},
    }
    return create_trial(**(given | changes))


def test_optunas_own_storage_reads_what_ours_writes(
    storage: OptunaStorage, optunas_own: RDBStorage, study_id: int
) -> None:
    storage.set_study_user_attr(study_id, "who", "me")
    for state in TrialState:
        storage.create_new_trial(study_id, full_trial(state))
    storage.set_trial_state_values(storage.create_new_trial(study_id), TrialState.COMPLETE, [-math.inf])

    theirs = optunas_own.get_all_trials(study_id)

    assert repr(theirs) == repr(storage.get_all_trials(study_id))
    assert vars(optunas_own.get_all_studies()[0]) == vars(storage.get_all_studies()[0])


def test_ours_reads_what_optunas_own_storage_writes(storage: OptunaStorage, optunas_own: RDBStorage) -> None:
    study_id = optunas_own.create_new_study([StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE])
    optunas_own.set_study_system_attr(study_id, "who", ["Optuna"])
    for state in TrialState:
        values = [1.0, math.inf] if state is TrialState.COMPLETE else None
        optunas_own.create_new_trial(study_id, full_trial(state, values=values))

    ours = storage.get_all_trials(study_id)

    assert repr(ours) == repr(optunas_own.get_all_trials(study_id))
    assert vars(storage.get_all_studies()[0]) == vars(optunas_own.get_all_studies()[0])


def test_a_study_is_optimized_as_on_any_other_storage(storage: OptunaStorage) -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        trial.report(abs(x), step=1)
        if trial.should_prune():
            raise optuna.TrialPruned
        return x**2 + trial.suggest_int("n", 0, 3)

    def optimized(on: optuna.storages.BaseStorage) -> list[tuple[object, ...]]:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=3)
        study = optuna.create_study(storage=on, sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
        study.enqueue_trial({"x": 0.25})
        study.optimize(objective, n_trials=15)
        return [(trial.state, trial.params, trial.values, trial.intermediate_values) for trial in study.trials]

    ours = optimized(storage)

    assert ours == optimized(optuna.storages.InMemoryStorage())


def test_a_study_of_any_size_is_read_in_one_statement(storage: OptunaStorage, engine: sa.Engine, study_id: int) -> None:
    for _ in range(20):
        storage.create_new_trial(study_id, full_trial())

    with record.statements(engine) as seen:
        trials = storage.get_all_trials(study_id)

    assert len(trials) == 20
    assert len(seen) == 1


def test_times_are_stored_in_utc_and_shown_in_local_time(
    storage: OptunaStorage, engine: sa.Engine, study_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    noon = datetime(2026, 1, 2, 12)  # noqa: DTZ001 - Optuna's times have no zone
    template = full_trial()
    template.datetime_start = template.datetime_complete = noon

    trial = storage.get_trial(storage.create_new_trial(study_id, template))
    monkeypatch.undo()
    time.tzset()

    with engine.connect() as connection:
        stored = connection.execute(sa.text("SELECT datetime_start, datetime_complete FROM trials")).one()
    assert (trial.datetime_start, trial.datetime_complete) == (noon, noon)
    assert [moment.hour for moment in stored] == [3, 3]


def test_numbers_of_numpy_are_numbers(storage: OptunaStorage, trial_id: int) -> None:
    step, value = np.int64(3), np.float64(0.1)

    storage.set_trial_intermediate_value(trial_id, step, value)  # type: ignore[arg-type]  # what training code reports
    storage.set_trial_param(trial_id, "x", value, UNIT)
    storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [value])

    trial = storage.get_trial(trial_id)
    assert (trial.intermediate_values, trial.params, trial.values) == ({3: 0.1}, {"x": 0.1}, [0.1])


def test_a_value_that_is_not_a_number_is_refused_and_the_trial_runs_on(storage: OptunaStorage, trial_id: int) -> None:
    with pytest.raises(ValueError, match="NaN"):
        storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [math.nan])

    assert storage.get_trial(trial_id).state is TrialState.RUNNING


@pytest.mark.parametrize("direction", [StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE])
def test_a_value_that_is_not_a_number_is_never_the_best(
    storage: OptunaStorage, optunas_own: RDBStorage, direction: StudyDirection
) -> None:
    study_id = storage.create_new_study([direction])
    for value in (math.nan, 0.5, math.nan):
        trial_id = optunas_own.create_new_trial(study_id)
        optunas_own.set_trial_state_values(trial_id, TrialState.COMPLETE, [value])

    best = storage.get_best_trial(study_id)

    assert best.value == 0.5


BAD_NAMES = {"NUL": "a\0b", "half of a surrogate pair": "a\ud800b", "513 characters": "a" * 513}


@pytest.mark.parametrize("wrong", BAD_NAMES)
@pytest.mark.parametrize(
    "call",
    [
        lambda storage, study_id, trial_id, name: storage.create_new_study(MINIMIZE, name),
        lambda storage, study_id, trial_id, name: storage.get_study_id_from_name(name),
        lambda storage, study_id, trial_id, name: storage.set_study_user_attr(study_id, name, 1),
        lambda storage, study_id, trial_id, name: storage.set_study_system_attr(study_id, name, 1),
        lambda storage, study_id, trial_id, name: storage.set_trial_user_attr(trial_id, name, 1),
        lambda storage, study_id, trial_id, name: storage.set_trial_system_attr(trial_id, name, 1),
        lambda storage, study_id, trial_id, name: storage.set_trial_param(trial_id, name, 0.5, UNIT),
        lambda storage, study_id, trial_id, name: storage.create_new_trial(
            study_id, full_trial(params={name: 0.5}, distributions={name: UNIT})
        ),
    ],
    ids=["study", "look-up", "user", "system", "trial user", "trial system", "parameter", "template"],
)
def test_a_name_that_cannot_be_stored_is_refused_and_nothing_is_stored(
    storage: OptunaStorage,
    engine: sa.Engine,
    trial_id: int,
    study_id: int,
    call: Callable[[OptunaStorage, int, int, str], object],
    wrong: str,
) -> None:
    before = rows(engine)

    with pytest.raises(ValueError, match=wrong):
        call(storage, study_id, trial_id, BAD_NAMES[wrong])

    assert rows(engine) == before


@pytest.mark.parametrize("step", [-1, 2**31])
def test_a_step_out_of_range_is_refused(storage: OptunaStorage, trial_id: int, step: int) -> None:
    with pytest.raises(ValueError, match="step is not from 0 to 2147483647"):
        storage.set_trial_intermediate_value(trial_id, step, 0.5)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_parameter_that_is_not_finite_is_refused(storage: OptunaStorage, trial_id: int, value: float) -> None:
    with pytest.raises(ValueError, match="parameter 'x' is not finite"):
        storage.set_trial_param(trial_id, "x", value, UNIT)


@pytest.mark.parametrize(("low", "high"), [(-math.inf, 0.0), (0.0, math.inf), (math.nan, 1.0)])
def test_bounds_that_are_not_finite_are_refused(storage: OptunaStorage, trial_id: int, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="bounds of parameter 'x' are not finite"):
        storage.set_trial_param(trial_id, "x", 0.5, FloatDistribution(low, high))


def test_a_parameter_that_was_handed_out_keeps_its_value(storage: OptunaStorage, trial_id: int) -> None:
    storage.set_trial_param(trial_id, "x", 0.5, UNIT)
    storage.set_trial_param(trial_id, "x", 0.5, UNIT)

    with pytest.raises(ValueError, match="x one has another value already"):
        storage.set_trial_param(trial_id, "x", 0.6, UNIT)

    assert storage.get_trial_params(trial_id) == {"x": 0.5}


def test_a_template_of_which_something_cannot_be_stored_leaves_no_trial(
    storage: OptunaStorage, engine: sa.Engine, study_id: int
) -> None:
    before = rows(engine)

    with pytest.raises(ValueError, match="step"):
        storage.create_new_trial(study_id, full_trial(intermediate_values={-1: 0.5}))

    assert rows(engine) == before


def test_a_template_with_a_parameter_of_another_kind_leaves_no_trial(
    storage: OptunaStorage, engine: sa.Engine, study_id: int
) -> None:
    storage.create_new_trial(study_id, full_trial())
    before = rows(engine)

    with pytest.raises(ValueError, match="log configuration"):
        storage.create_new_trial(study_id, full_trial(params={"rate": 0.5}, distributions={"rate": UNIT}))

    assert rows(engine) == before


def test_a_commit_whose_reply_was_lost_is_not_done_again(
    storage: OptunaStorage, engine: sa.Engine, study_id: int
) -> None:
    @sa.event.listens_for(engine, "commit", once=True)
    def lose_the_reply(connection: sa.Connection) -> None:
        connection.connection.commit()
        raise sa.exc.OperationalError("COMMIT", None, ConnectionError("cut"))

    with pytest.raises(Unavailable):
        storage.create_new_trial(study_id)

    assert storage.get_n_trials(study_id) == 1


def test_deleting_a_study_leaves_no_row_of_it(storage: OptunaStorage, engine: sa.Engine, study_id: int) -> None:
    kept = storage.create_new_study(MINIMIZE)
    before = rows(engine) | {"studies": 1, "study_directions": 1}
    storage.set_study_user_attr(study_id, "a", 1)
    storage.set_study_system_attr(study_id, "a", 1)
    storage.create_new_trial(study_id, full_trial())

    storage.delete_study(study_id)

    assert rows(engine) == before
    assert [study._study_id for study in storage.get_all_studies()] == [kept]


def test_deleting_a_study_of_the_service_leaves_word_for_its_workers(
    storage: OptunaStorage, engine: sa.Engine, study_id: int
) -> None:
    trial_id = storage.create_new_trial(study_id)
    lease = """
        WITH study AS (
          INSERT INTO trimtab_studies (study_id, spec, created, budget) VALUES (:study_id, '{}', 1, 1)
        ), trial AS (
          INSERT INTO trimtab_trials (study_id, trial_id, number, sampled_for) VALUES (:study_id, :trial_id, 0, 0)
        )
        INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at)
        VALUES (:study_id, :trial_id, 1, 1, 'gpu0', now())
    """
    with engine.begin() as connection:
        connection.execute(sa.text(lease), {"study_id": study_id, "trial_id": trial_id})

    storage.delete_study(study_id)

    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT study FROM trimtab_tombstones")).scalars().all() == ["study"]
        assert connection.execute(sa.text("SELECT count(*) FROM trimtab_leases")).scalar_one() == 0


@pytest.mark.usefixtures("beyond_31_bits")
def test_ids_go_on_beyond_31_bits(storage: OptunaStorage) -> None:
    study_id = storage.create_new_study(MINIMIZE)
    trial_id = storage.create_new_trial(study_id, full_trial())

    assert (study_id, trial_id) == (2**31, 2**31)
    assert storage.get_trial(trial_id).params == full_trial().params
