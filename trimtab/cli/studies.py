"""`trimtab study`: all that there is to do with studies, from creating them to deleting them."""

from typing import Any

from trimtab.cli.asking import Asking, verbs
from trimtab.cli.later import add_later

_VERBS = {
    "create": ("creating", "Create a study: NAME and what differs from the defaults, or a spec."),
    "list": ("reading", "List the studies, the newest first."),
    "show": ("reading", "Show a study: how far it is, why trials failed, what it waits for, its spec, its best trial."),
    "watch": ("watching", "Follow a study until it has ended."),
    "best": (
        "trials",
        "Show the best trial so far; with several objectives, a list of those that no other beats in every one.",
    ),
    "trials": ("trials", "List the trials of a study by number: their values, and why they were stopped or failed."),
    "trial": ("trials", "Show a trial: how it went, its curves, its params, its attempts."),
    "enqueue": (
        "trials",
        "Give a study a point to be trained: it is handed out before new ones, and counts for the budget.",
    ),
    "export": ("taking", "Write the trials of a study as a table."),
    "logs": ("taking", "Show what the trainings of a trial wrote."),
    "diagnosis": ("lessons", "Ask the doctor what ails a study, and which edits to its spec would help."),
    "prescribe": ("lessons", "Create the next study: this one with the doctor's edits."),
    "replay": ("lessons", "Show what each pruner would have stopped of a study, what it would have saved and lost."),
    "importances": ("lessons", "Show how much each parameter mattered."),
    "pause": ("changing", "Hand out no more trials of a study until it is resumed; those that run go on."),
    "resume": ("changing", "Set a paused or stopped study running again."),
    "stop": ("changing", "End a study by hand; its running trials may come to their end."),
    "budget": ("changing", "Change what a study may use up."),
    "tag": ("changing", "Change the tags of a study: words to find it again by."),
    "priority": ("changing", "Change which studies workers are given trials of first."),
    "delete": ("changing", "Delete a study with all its trials."),
    "check": ("finals", "Have the gradients of a study's task checked by a worker; wait, and say what came of it."),
    "confirm": (
        "finals",
        "Have the best trials of a study trained again, with fresh seeds; wait, and say which one is best.",
    ),
    "final": ("finals", "Have the final model of a study trained and its test set read, once; wait for it."),
}
"""By name the module below `trimtab.cli` that has it, and the first sentence of what it says of itself."""


class Studies(Asking):
    """The verbs of studies, of which only the one that is used is imported."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        add_later(self, _VERBS)


app = verbs("Create, follow and read studies.", Studies)


@app.callback()
def _options() -> None:
    """Do nothing: a group of commands that Typer does not know has to have something."""
