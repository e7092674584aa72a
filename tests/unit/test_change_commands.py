"""`trimtab study pause|resume|stop|budget|tag|priority`, and what was learned: what they send and what they print."""

import json

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.stub import Stub, refused, said
from trimtab.errors import Conflict
from trimtab.learned import ImportanceMethod, Importances
from trimtab.protocol import Study
from trimtab.pruners import MedianPruner, NoPruner
from trimtab.replay import PrunerReplay, Replay, StoppedTrial
from trimtab.states import StudyState

REPLAY = Replay(
    study="digits",
    metric="validation_error",
    trials=10,
    epochs=200,
    seconds=50.0,
    best_trial=3,
    best_value=0.02,
    pruners=[
        PrunerReplay(
            pruner=NoPruner(name="none"),
            is_own=True,
            stopped=[],
            epochs_saved=0,
            seconds_saved=0.0,
            loses_best=False,
            best_trial=3,
            best_value=0.02,
        ),
        PrunerReplay(
            pruner=MedianPruner(),
            is_own=False,
            stopped=[StoppedTrial(trial=3, step=4)],
            epochs_saved=100,
            seconds_saved=25.0,
            loses_best=True,
            best_trial=5,
            best_value=0.03,
        ),
    ],
)


def changed(**fields: object) -> Study:
    """Return a study whose spec was changed."""
    study = samples.study()
    return study.model_copy(update={"spec": study.spec.model_copy(update=fields)})


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("resume", "running"), ("stop", "stopped")])
def test_a_study_is_paused_resumed_and_stopped(stub: Stub, run: Run, verb: str, state: str) -> None:
    stub.answers(said(samples.study(state=StudyState(state), complete=3)))

    ran = run("study", verb, "digits")

    assert (stub.asked[0].method, stub.asked[0].path) == ("PATCH", "/v1/studies/digits")
    assert stub.asked[0].body["state"] == state
    assert ran.output == f"study digits is {state}: 3 complete, 0 pruned, 0 failed, 0 running; 0 of 40 trials\n"


def test_a_budget_is_made_larger_and_without_a_limit(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study()))

    ran = run("study", "budget", "digits", "trials=200", "seconds=null", "--json")

    assert stub.asked[0].body["budget"] == {"trials": 200, "seconds": None}
    assert json.loads(ran.output)["name"] == "digits"


@pytest.mark.parametrize(
    ("typed", "tags", "line"),
    [
        (["ours", "first try"], ["ours", "first try"], "study digits has the tags ours, first try"),
        (["--none"], [], "study digits has no tags"),
    ],
)
def test_a_study_is_given_the_tags_that_are_named_and_no_others(
    stub: Stub, run: Run, typed: list[str], tags: list[str], line: str
) -> None:
    stub.answers(said(changed(tags=tuple(tags))))

    ran = run("study", "tag", "digits", *typed)

    assert (stub.asked[0].method, stub.asked[0].path) == ("PATCH", "/v1/studies/digits")
    assert stub.asked[0].body["tags"] == tags
    assert ran.output == f"{line}\n"


@pytest.mark.parametrize("typed", [[], ["ours", "--none"]])
def test_tags_are_not_taken_away_by_leaving_them_out(stub: Stub, run: Run, typed: list[str]) -> None:
    ran = run("study", "tag", "digits", *typed)

    assert (ran.code, stub.asked) == (2, [])
    assert "give either TAGS or --none" in ran.errors


@pytest.mark.parametrize("number", [7, -1])
def test_a_study_is_given_another_priority(stub: Stub, run: Run, number: int) -> None:
    stub.answers(said(changed(priority=number)))

    ran = run("study", "priority", "digits", str(number))

    assert (stub.asked[0].body["priority"], stub.asked[0].body["tags"]) == (number, None)
    assert ran.output == f"study digits has the priority {number}\n"


def test_a_limit_that_is_none_is_said_before_anything_is_sent(stub: Stub, run: Run) -> None:
    ran = run("study", "budget", "digits", "trials=many")

    assert (ran.code, stub.asked) == (2, [])
    assert "budget.trials must be an integer" in ran.errors


def test_a_change_that_the_service_refuses_is_one_line(stub: Stub, run: Run) -> None:
    stub.answers(refused(Conflict("study 'digits' is complete: give it a larger budget")))

    ran = run("study", "resume", "digits")

    assert (ran.code, ran.errors) == (1, "trimtab: study 'digits' is complete: give it a larger budget\n")


def test_a_replay_is_a_line_for_each_pruner(stub: Stub, run: Run) -> None:
    stub.answers(said(REPLAY))

    ran = run("study", "replay", "digits")

    lines = [" ".join(line.split()) for line in ran.output.splitlines()]
    assert lines == [
        "digits: 10 trials of 200 epochs, 50 s",
        "PRUNER STOPS EPOCHS SAVED SECONDS SAVED BEST BEST TRIAL",
        "none (its own) 0 of 10 0 (0%) 0 (0%) 0.02 3",
        "median 1 of 10 100 (50%) 25 (50%) 0.03 5: the best one is lost",
    ]


def test_importances_are_shares_and_bars(stub: Stub, run: Run) -> None:
    shares = {"learning_rate": 0.9, "momentum": 0.1}
    stub.answers(
        said(Importances(method=ImportanceMethod.FANOVA, metric="validation_error", trials=40, importances=shares))
    )

    ran = run("study", "importances", "digits", "--method", "fanova")

    assert stub.asked[0].query == {"method": "fanova"}
    assert [line.split() for line in ran.output.splitlines()[2:]] == [
        ["learning_rate", "0.900", "█" * 27],
        ["momentum", "0.100", "█" * 3],
    ]


def test_importances_that_there_are_none_of_say_why(stub: Stub, run: Run) -> None:
    reason = "too few complete trials: 1"
    method = ImportanceMethod.PED_ANOVA
    stub.answers(said(Importances(method=method, metric="error", trials=1, reason=reason, importances={})))

    assert run("study", "importances", "digits").output.splitlines()[-1] == reason


def test_a_study_that_a_larger_budget_does_not_reopen_says_why(stub: Stub, run: Run) -> None:
    study = samples.study(state=StudyState.COMPLETE, complete=4)
    stub.answers(said(study.model_copy(update={"reason": "every point of the space was tried"})))

    ran = run("study", "budget", "digits", "trials=2000")

    assert ran.output.startswith("study digits is complete: 4 complete")
    assert ran.output.endswith("; every point of the space was tried\n")
