"""Optuna's storage interface over Optuna's own tables, where every call is one transaction."""

from collections.abc import Container, Sequence
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.storages._base import DEFAULT_STUDY_NAME_PREFIX
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from service.database import autocommit, connect, transaction
from service.storage import optuna_details, optuna_records, optuna_studies, optuna_trials


class OptunaStorage(BaseStorage):
    """The trials of the service, as any tool of Optuna's reads and writes them.

    What is written is there when a method returns, and nothing of it when it raises; nothing is tried twice. A
    finished trial never changes. Times are stored as UTC without a zone and returned as local time without one,
    as Optuna has it.

    Every method raises `trimtab.errors.Unavailable` while the database is away or busy. If that happens during
    a commit, whether it took effect is unknown.

    Args:
        engine: Connections, made by `service.database.connect`, to a database that `service.migrate` made.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def __getstate__(self) -> str:
        return self._engine.url.render_as_string(hide_password=False)

    def __setstate__(self, url: str) -> None:
        self._engine = connect(url)

    # Studies

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Create a study, under a name of ours if none is given, and return its id.

        Raises:
            DuplicatedStudyError: There is one of that name.
            ValueError: The name cannot be stored.
        """
        name = f"{DEFAULT_STUDY_NAME_PREFIX}{uuid4()}" if study_name is None else study_name
        with transaction(self._engine) as connection:
            return optuna_studies.create(connection, name, directions)

    def delete_study(self, study_id: int) -> None:
        """Delete a study and all that belongs to it.

        Raises:
            KeyError: There is no such study.
        """
        with transaction(self._engine) as connection:
            optuna_studies.delete(connection, study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: object) -> None:
        """Set an attribute of a study for Optuna's users, in place of an older one.

        Raises:
            KeyError: There is no such study.
            TypeError: JSON has no word for the value.
            ValueError: The key cannot be stored.
        """
        with transaction(self._engine) as connection:
            optuna_studies.set_attribute(connection, study_id, "user", key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: object) -> None:
        """Set an attribute of a study for Optuna itself, in place of an older one.

        Raises:
            KeyError: There is no such study.
            TypeError: JSON has no word for the value.
            ValueError: The key cannot be stored.
        """
        with transaction(self._engine) as connection:
            optuna_studies.set_attribute(connection, study_id, "system", key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the id of a study.

        Raises:
            KeyError: There is none of that name.
            ValueError: None can have that name.
        """
        with autocommit(self._engine) as connection:
            return optuna_studies.find_id(connection, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the name of a study.

        Raises:
            KeyError: There is no such study.
        """
        return self._study(study_id).study_name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return whether each objective of a study is minimized or maximized.

        Raises:
            KeyError: There is no such study.
        """
        return self._study(study_id).directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the attributes of a study for Optuna's users.

        Raises:
            KeyError: There is no such study.
        """
        return self._study(study_id).user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the attributes of a study for Optuna itself.

        Raises:
            KeyError: There is no such study.
        """
        return self._study(study_id).system_attrs

    def get_all_studies(self) -> list[FrozenStudy]:
        """Return all studies, oldest first."""
        with autocommit(self._engine) as connection:
            return optuna_studies.get_all(connection)

    def _study(self, study_id: int) -> FrozenStudy:
        with autocommit(self._engine) as connection:
            return optuna_studies.get(connection, study_id)

    # Trials, written

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Create a trial with the next number of its study, like the template or else running; return its id.

        Raises:
            KeyError: There is no such study.
            TypeError: JSON has no word for an attribute.
            ValueError: Something cannot be stored, or a parameter was drawn from another kind of distribution
                before.
        """
        with transaction(self._engine) as connection:
            return optuna_trials.create(connection, study_id, template_trial)

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Set a parameter of a trial, as the number that stands for it. The same again changes nothing.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: The trial is finished.
            ValueError: It cannot be stored, has another value already, or was drawn from another kind of
                distribution before.
        """
        with transaction(self._engine) as connection:
            optuna_trials.set_param(connection, trial_id, param_name, (param_value_internal, distribution))

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Move a trial on, with its values if there are any; return False if it runs already, and is to.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: The trial is finished.
            ValueError: A value is not a number.
        """
        with transaction(self._engine) as connection:
            return optuna_trials.set_state(connection, trial_id, state, values)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Set the value at a step, in place of an older one.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: The trial is finished.
            ValueError: The step is negative, or does not fit 31 bits.
        """
        with transaction(self._engine) as connection:
            optuna_details.set_intermediate_values(connection, trial_id, {step: intermediate_value})

    def set_trial_user_attr(self, trial_id: int, key: str, value: object) -> None:
        """Set an attribute of a trial for Optuna's users, in place of an older one.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: The trial is finished.
            TypeError: JSON has no word for the value.
            ValueError: The key cannot be stored.
        """
        with transaction(self._engine) as connection:
            optuna_details.set_attributes(connection, trial_id, "user", {key: value})

    def set_trial_system_attr(self, trial_id: int, key: str, value: object) -> None:
        """Set an attribute of a trial for Optuna itself, in place of an older one.

        Raises:
            KeyError: There is no such trial.
            UpdateFinishedTrialError: The trial is finished.
            TypeError: JSON has no word for the value.
            ValueError: The key cannot be stored.
        """
        with transaction(self._engine) as connection:
            optuna_details.set_attributes(connection, trial_id, "system", {key: value})

    # Trials, read

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial.

        Raises:
            KeyError: There is no such trial.
        """
        with autocommit(self._engine) as connection:
            return optuna_records.get(connection, trial_id)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials of a study that are in one of `states` (None: in any), oldest first.

        They are the caller's own, `deepcopy` or not; only distributions are shared among them.

        Raises:
            KeyError: There is no such study.
        """
        with autocommit(self._engine) as connection:
            return optuna_records.get_all(connection, study_id, states)

    def get_n_trials(self, study_id: int, state: tuple[TrialState, ...] | TrialState | None = None) -> int:
        """Return how many trials of a study are in `state`, or one of several (None: in any).

        Raises:
            KeyError: There is no such study.
        """
        states = (state,) if isinstance(state, TrialState) else state
        with autocommit(self._engine) as connection:
            return optuna_records.count(connection, study_id, states)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        """Return the id of a study's trial.

        Raises:
            KeyError: There is no such study, or it has no trial of that number.
        """
        with autocommit(self._engine) as connection:
            return optuna_records.get_id(connection, study_id, trial_number)

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Return the complete trial with the best value, the earlier one of equals.

        Raises:
            KeyError: There is no such study.
            RuntimeError: The study has several objectives.
            ValueError: No trial is complete.
        """
        with autocommit(self._engine) as connection:
            return optuna_records.get_best(connection, study_id)
