"""Why trials of a study failed, in a line: of one of them, and how to see the others."""

from trimtab.client import Client
from trimtab.protocol import Study
from trimtab.states import TrialState
from trimtab.trial_view import why


def failing(client: Client, study: Study) -> str:
    """Return why the first of the failed trials of a study did; empty where none has."""
    if not study.counts.fail:
        return ""
    first = next(client.trials(study.name, TrialState.FAIL), None)
    if first is None:
        return ""
    return f"trial {first.number}: {why(first)}; all: trimtab study trials {study.name} --state fail"
