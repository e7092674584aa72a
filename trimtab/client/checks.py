"""Gradient checks of a study: ask for one, read them."""

from collections.abc import Iterator, Mapping
from itertools import islice

from trimtab.checks import Check, CheckRequest
from trimtab.client.calls import PAGE, Calls
from trimtab.message import Value
from trimtab.protocol import Page
from trimtab.requests import Request, new_key, study_path
from trimtab.validation import built


class CheckCalls(Calls):
    """What there is to do before a search."""

    def check_gradients(self, name: str, params: Mapping[str, Value] | None = None) -> Check:
        """Have the gradients of a study's task checked by a worker that has the task.

        Args:
            name: The study.
            params: Hyperparameters of the network; those left out are as the study holds them fixed, or as the task
                has them by default.

        Raises:
            StudyNotFound: There is no such study.
            Conflict: It has no task, or follows another study itself.
        """
        body = built(CheckRequest, {"params": params or {}}).model_dump_json()
        return self._call(Check, Request("POST", f"{study_path(name)}/checks", body=body, key=new_key()))

    def checks(self, name: str, limit: int | None = None) -> Iterator[Check]:
        """Return the gradient checks of a study, the newest first; at most `limit`.

        Raises:
            StudyNotFound: There is no such study.
        """
        return islice(self._items(Page[Check], f"{study_path(name)}/checks", limit or PAGE), limit)
