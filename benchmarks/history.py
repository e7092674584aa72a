"""Fills a database with finished trials of one study, by SQL: through either system it would take hours.

The trials are the same in both: T trials, P parameters, S steps; two thirds complete, the others pruned half-way.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from optuna.distributions import FloatDistribution, distribution_to_json

from service.storage.dimensions import Dimension, dimensions
from trimtab.budget import Budget
from trimtab.objectives import Objective
from trimtab.pruners import MedianPruner
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.spec import StudySpec

STEPS = 20
METRIC = "validation_error"

SPACE = Space(
    {
        "learning_rate": Float(low=1e-4, high=1.0, scale=Scale.LOG),
        "momentum": Float(low=0.9, high=0.999, scale=Scale.REVERSE_LOG),
        "l2": Float(low=1e-6, high=0.1, scale=Scale.LOG),
        "dropout": Float(low=0.0, high=0.6),
        "width": Float(low=0.0, high=1.0),
        "units": Int(low=16, high=512, scale=Scale.LOG),
        "layers": Int(low=1, high=5),
        "batch_size": Categorical(choices=(32, 64, 128, 256)),
    }
)
DIMENSIONS = dimensions(SPACE)


@dataclass(frozen=True)
class History:
    """Finished trials.

    Args:
        points_TP: Stored parameter values.
        curves_TS: Errors by step.
        is_pruned_T: Stopped half-way.
    """

    points_TP: npt.NDArray[np.float64]
    curves_TS: npt.NDArray[np.float64]
    is_pruned_T: npt.NDArray[np.bool_]

    @property
    def last_step_T(self) -> npt.NDArray[np.int64]:
        """The last step of each trial."""
        return np.where(self.is_pruned_T, STEPS // 2, STEPS)


def random_history(trials: int, *, seed: int) -> History:
    """Return `trials` random trials whose curves fall towards an error that depends on the point."""
    rng = np.random.default_rng(seed)
    unit_TP = rng.random((trials, len(DIMENSIONS)))
    floor_T = 0.02 + 0.3 * ((unit_TP - 0.5) ** 2).mean(axis=1)
    decay_S = np.exp(-np.arange(STEPS) / 5)
    curves_TS = floor_T[:, None] + 0.8 * decay_S + rng.normal(0, 0.005, (trials, STEPS))
    points_TP = np.stack([_stored(dimension, unit_TP[:, p]) for p, dimension in enumerate(DIMENSIONS)], axis=1)
    return History(points_TP, curves_TS, rng.random(trials) < 1 / 3)


def spec(name: str, budget: int) -> StudySpec:
    """Return the study that is measured."""
    return StudySpec(
        name=name,
        task=None,
        space=SPACE,
        objectives=(Objective(metric=METRIC),),
        pruner=MedianPruner(startup_trials=5, warmup_steps=3),
        budget=Budget(trials=budget),
    )


def fill(engine: sa.Engine, study: str, history: History) -> None:
    """Write `history` into Optuna's tables as the first trials of an empty study."""
    with engine.begin() as connection:
        study_id = connection.execute(
            sa.text("SELECT study_id FROM studies WHERE study_name = :study"), {"study": study}
        ).scalar_one()
        trial_ids = _insert_trials(connection, study_id, history)
        _insert_params(connection, trial_ids, history)
        _insert_curves(connection, trial_ids, history)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def fill_ours(engine: sa.Engine, study: str) -> None:
    """Write what our own tables say of the finished trials that a study has in Optuna's."""
    with engine.begin() as connection:
        connection.execute(_OURS, {"study": study, "metric": METRIC})
        connection.execute(_COUNTERS, {"study": study})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


_OURS = sa.text("""
    INSERT INTO trimtab_trials
      (trial_id, study_id, number, sampled_for, fence, outcome, step, metrics, finish_order)
    SELECT trial_id, study_id, number, number, 1, CASE state WHEN 'PRUNED' THEN 'pruned' ELSE 'complete' END,
      (SELECT max(step) FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
      json_build_object(:metric, v.value), number + 1
    FROM trials t JOIN trial_values v USING (trial_id) JOIN studies s USING (study_id)
    WHERE study_name = :study
""")

_COUNTERS = sa.text("""
    UPDATE trimtab_studies SET (created, finished, best_trial_id, best_value) = (
      SELECT count(*), count(*),
        (array_agg(trial_id ORDER BY value) FILTER (WHERE state = 'COMPLETE'))[1],
        min(value) FILTER (WHERE state = 'COMPLETE')
      FROM trials t JOIN trial_values v USING (trial_id) WHERE t.study_id = trimtab_studies.study_id)
    WHERE study_id = (SELECT study_id FROM studies WHERE study_name = :study)
""")


def _stored(dimension: Dimension, unit_T: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    match dimension.parameter:
        case Categorical(choices=choices):
            return np.floor(unit_T * len(choices))
        case Int(low=low, high=high):
            return np.floor(low + unit_T * (high - low + 1))
        case Float():
            distribution = dimension.distribution
            assert isinstance(distribution, FloatDistribution), "what a Float is stored as"
            least, most = distribution.low, distribution.high
            return np.asarray(least * (most / least) ** unit_T if distribution.log else least + unit_T * (most - least))


def _insert_trials(connection: sa.Connection, study_id: int, history: History) -> npt.NDArray[np.int64]:
    states = np.where(history.is_pruned_T, "PRUNED", "COMPLETE").tolist()
    finals = history.curves_TS[np.arange(len(states)), history.last_step_T - 1].tolist()
    rows = connection.execute(
        sa.text("""
            WITH given AS (
              SELECT * FROM unnest(CAST(:states AS text[]), CAST(:finals AS float8[])) WITH ORDINALITY
                AS g (state, final, position)
            ), trial AS (
              INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)
              SELECT :study_id, position - 1, CAST(state AS trialstate), now(), now() FROM given ORDER BY position
              RETURNING trial_id, number
            ), value AS (
              INSERT INTO trial_values (trial_id, objective, value, value_type)
              SELECT trial_id, 0, final, 'FINITE' FROM trial JOIN given ON position = number + 1
            )
            SELECT trial_id FROM trial ORDER BY number
        """),
        {"study_id": study_id, "states": states, "finals": finals},
    )
    return np.array(rows.scalars().all(), dtype=np.int64)


def _insert_params(connection: sa.Connection, trial_ids: npt.NDArray[np.int64], history: History) -> None:
    for column, dimension in enumerate(DIMENSIONS):
        connection.execute(
            sa.text("""
                INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
                SELECT trial_id, :name, value, :distribution
                FROM unnest(CAST(:trial_ids AS bigint[]), CAST(:values AS float8[])) AS g (trial_id, value)
            """),
            {
                "name": dimension.stored_name,
                "distribution": distribution_to_json(dimension.distribution),
                "trial_ids": trial_ids.tolist(),
                "values": history.points_TP[:, column].tolist(),
            },
        )


def _insert_curves(connection: sa.Connection, trial_ids: npt.NDArray[np.int64], history: History) -> None:
    for step in range(1, STEPS + 1):
        reached_T = history.last_step_T >= step
        connection.execute(
            sa.text("""
                INSERT INTO trial_intermediate_values
                  (trial_id, step, intermediate_value, intermediate_value_type)
                SELECT trial_id, :step, value, 'FINITE'
                FROM unnest(CAST(:trial_ids AS bigint[]), CAST(:values AS float8[])) AS g (trial_id, value)
            """),
            {
                "step": step,
                "trial_ids": trial_ids[reached_T].tolist(),
                "values": history.curves_TS[reached_T, step - 1].tolist(),
            },
        )
