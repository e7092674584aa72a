"""What a trial of a study without a space says while it runs: the parameters it needs, and what to remember of it."""

from collections.abc import Mapping
from urllib.parse import quote

from pydantic import JsonValue

from trimtab.client.calls import Calls
from trimtab.message import Message, Scalar
from trimtab.protocol import Lease
from trimtab.requests import on_lease
from trimtab.space import Categorical, Float, Int
from trimtab.suggestions import Attribute, AttributeKey, Suggested, Wanted, WantedCategorical, WantedFloat, WantedInt
from trimtab.validation import built


class _Named(Message):
    key: AttributeKey


_WANTED: Mapping[str, type[Wanted]] = {"float": WantedFloat, "int": WantedInt, "categorical": WantedCategorical}


class SuggestionCalls(Calls):
    """What a running trial has to say, beside its reports."""

    def suggest(self, lease: Lease, name: str, parameter: Float | Int | Categorical) -> Scalar:
        """Return the value of a parameter in this trial and renew the lease. The same name again: the same value.

        Args:
            lease: Of a study without a space.
            name: Of the parameter.
            parameter: Where the value may lie, by itself: without `when` and `per`.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
            Conflict: The study has a space: its trials have all their params.
            Invalid: The study knows a parameter of that name that is not alike, or the trial has a value elsewhere.
        """
        asked = built(_WANTED[parameter.type], {**parameter.model_dump(), "name": name})
        return self._call(Suggested, on_lease(lease, "POST", "suggestions", asked)).value

    def set_attribute(self, lease: Lease, key: str, value: JsonValue) -> None:
        """Leave something on record with the trial, in place of what was there under that key; renew the lease.

        Args:
            lease: Of the trial.
            key: At most 512 characters.
            value: Anything that is JSON, of at most 64 KiB and 64 levels of lists and objects.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
            Invalid: The key or the value is none.
        """
        path = f"attributes/{quote(built(_Named, {'key': key}).key, safe='')}"
        self._call(Attribute, on_lease(lease, "PUT", path, built(Attribute, {"value": value})))
