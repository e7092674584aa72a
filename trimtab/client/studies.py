"""Studies: create, read, list, change, delete."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from trimtab.budget import Budget
from trimtab.client.calls import PAGE, Calls
from trimtab.errors import StudyNotFound
from trimtab.protocol import Page, Study, StudyChange
from trimtab.requests import Request, new_key, study_path
from trimtab.spec import StudySpec
from trimtab.states import StudyState
from trimtab.validation import built


class StudyCalls(Calls):
    """What there is to do with studies."""

    def create_study(self, spec: StudySpec) -> Study:
        """Create a study. The same name and spec again: the study as it is.

        Raises:
            StudyExists: The name is taken by a study of another spec.
        """
        return self._call(Study, Request("POST", "/v1/studies", body=_sent(spec), key=new_key()))

    def study(self, name: str) -> Study:
        """Return a study as it is.

        Raises:
            StudyNotFound: There is no such study.
        """
        return self._call(Study, Request("GET", study_path(name)))

    def studies(
        self, limit: int | None = None, state: StudyState | str | None = None, tag: str | None = None
    ) -> Iterator[Study]:
        """Return the studies, the newest first; at most `limit`, with `state` and `tag` only those that have them."""
        query = {name: value for name, value in (("state", state), ("tag", tag)) if value is not None}
        return islice(self._items(Page[Study], "/v1/studies", limit or PAGE, query), limit)

    def change_study(
        self,
        name: str,
        *,
        state: StudyState | str | None = None,
        budget: int | Mapping[str, float | None] | None = None,
        limits: Mapping[str, float | None] | None = None,
        space: Mapping[str, Mapping[str, float]] | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
    ) -> Study:
        """Change a study; what is not given stays as it is. Twice is the same as once.

        Args:
            name: The study.
            state: `paused`, `running` or `stopped`.
            budget: Trials in all, or some of the limits by name; None takes one away. More reopens a complete study.
            limits: `trial_seconds`, `step_seconds` or both; None takes a limit away.
            space: `low`, `high` or both, by parameter.
            tags: All that it is to have.
            priority: Studies of the highest are served first.

        Raises:
            StudyNotFound: There is no such study.
            Invalid: The limits or the bounds do not go with the study.
            Conflict: The study cannot be brought from its state into the other.
        """
        limited = {"trials": budget} if isinstance(budget, int) else budget
        fields = {"state": state, "budget": limited, "limits": limits, "space": space, "priority": priority}
        change = built(StudyChange, fields | {"tags": None if tags is None else tuple(tags)})
        body = change.model_dump_json(exclude_unset=True)
        return self._call(Study, Request("PATCH", study_path(name), body=body))

    def delete_study(self, name: str) -> None:
        """Delete a study with all its trials, and its checks, confirmations and final models with theirs.

        Workers on them learn at their next call. What a prescription made of it stays.

        Raises:
            StudyNotFound: There is no such study.
        """
        self._delete(study_path(name), StudyNotFound)


def _sent(spec: StudySpec) -> str:
    """Return a spec as it is sent. Of the budget only what was given: the rest of it depends on the sampler."""
    given = spec.budget.model_fields_set if "budget" in spec.model_fields_set else set[str]()
    return spec.model_dump_json(exclude={"budget": set(Budget.model_fields) - given})
