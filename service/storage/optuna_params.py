"""The parameters of a trial: set once, each of one kind of distribution in a study."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
    json_to_distribution,
)

from service.storage import optuna_checks as checks
from service.storage.optuna_details import OPEN_TRIAL, require_open

Param = tuple[float, BaseDistribution]
"""A parameter as it is stored, and what it was drawn from."""

# By number: trials are gone through by one index, the parameters of each by another.
_FIRST_DISTRIBUTIONS = sa.text("""
    SELECT n.name, (
      SELECT distribution_json FROM trials t JOIN trial_params p USING (trial_id)
      WHERE t.study_id = :study_id AND p.param_name = n.name ORDER BY t.number LIMIT 1
    )
    FROM unnest(CAST(:names AS text[])) AS n (name)
""")

# A parameter that was once handed out stays as it is: one that is there with another value counts for nothing.
_SET = sa.text(f"""
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
    SELECT trial_id, p.name, p.value, p.distribution
    FROM trials t,
      unnest(CAST(:names AS text[]), CAST(:values AS float8[]), CAST(:distributions AS text[]))
        AS p (name, value, distribution)
    {OPEN_TRIAL}
    ON CONFLICT (trial_id, param_name) DO UPDATE SET param_value = excluded.param_value
      WHERE (trial_params.param_value, trial_params.distribution_json)
        = (excluded.param_value, excluded.distribution_json)
""")


def set_all(connection: sa.Connection, study_id: int, trial_id: int, params: Mapping[str, Param]) -> None:
    """Set parameters of a trial, whose study is locked. The same again changes nothing.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
        ValueError: One cannot be stored, has another value already, or was drawn from another kind of distribution
            before.
    """
    names = [checks.name(name, "parameter name") for name in params]
    values = [checks.param(value, distribution, name) for name, (value, distribution) in params.items()]
    first = _first_distributions(connection, study_id, names)
    for name in first:
        check_distribution_compatibility(first[name], params[name][1])
    distributions = [distribution_to_json(distribution) for _, distribution in params.values()]
    given = {"trial_id": trial_id, "names": names, "values": values, "distributions": distributions}
    if connection.execute(_SET, given).rowcount < len(params):
        require_open(connection, trial_id)
        raise ValueError(f"of the parameters {', '.join(params)} one has another value already")


def _first_distributions(connection: sa.Connection, study_id: int, names: Sequence[str]) -> dict[str, BaseDistribution]:
    found = connection.execute(_FIRST_DISTRIBUTIONS, {"study_id": study_id, "names": names})
    return {name: json_to_distribution(text) for name, text in found if text is not None}
