from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from service.pictures.runs import Run
from service.web.attempts import bars
from service.web.trial_curve import Picture, curve, main_pictures, other_pictures, thinned
from service.web.trial_words import fate
from trimtab.protocol import Attempt, RecordedReport, Trial
from trimtab.states import Decision, Outcome, TrialState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def report(step: int, minute: float, attempt: int = 1, **metrics: float | None) -> RecordedReport:
    at = NOON + timedelta(minutes=minute)
    return RecordedReport(attempt=attempt, step=step, metrics=metrics, verdict=Decision.CONTINUE, reported_at=at)


def attempt(begin: float, end: float | None) -> Attempt:
    at = NOON + timedelta(minutes=begin)
    ended_at = None if end is None else NOON + timedelta(minutes=end)
    return Attempt(fence=1, attempt=1, worker="w", leased_at=at, ended_at=ended_at)


def trial(state: TrialState, outcome: Outcome | None = None, reason: str | None = None, attempts: int = 1) -> Trial:
    return Trial(
        study="s",
        number=0,
        state=state,
        params={},
        values={},
        metrics={},
        attempts=attempts,
        outcome=outcome,
        reason=reason,
    )


def run(reports: Sequence[RecordedReport], best_step: int | None = None) -> Run:
    return Run(reports, len(reports), best_step)


def test_of_a_long_run_the_first_the_best_and_the_last_are_kept() -> None:
    found = thinned(run([report(step, step, error=1 / step) for step in range(1, 391)], best_step=200), 60)

    assert len(found) == 61
    assert {1, 200, 390} <= {each.step for each in found}
    assert [each.step for each in found] == sorted(each.step for each in found)


def test_the_more_metrics_there_are_the_fewer_points_each_has() -> None:
    metrics: dict[str, float | None] = {f"m{n}": 0.5 for n in range(64)}
    reports = [report(step, step).model_copy(update={"metrics": metrics}) for step in range(1, 391)]

    found = curve(run(reports))

    assert sum(len(values) for values in found.metrics.values()) <= 8_000


def test_a_metric_that_was_not_reported_is_a_gap() -> None:
    found = curve(run([report(1, 1, error=0.5), report(2, 2, error=None, cost=3.0)]))

    assert found.metrics == {"error": [0.5, None], "cost": [None, 3.0]}


def test_a_validation_figure_is_seen_beside_that_of_the_training() -> None:
    names = ["training_error", "validation_error", "train_dev_error", "cost"]

    assert main_pictures(["validation_error", "cost", "absent"], names) == [
        Picture("validation error and training error and train dev error", names[1::-1] + names[2:3]),
        Picture("cost", ["cost"]),
    ]


def test_what_is_compared_is_in_one_picture_and_the_rest_each_in_its_own() -> None:
    names = ["own_metric", "last_gradient_norm", "gradient_norm", "parameters", "dead_units", "error"]

    found = other_pictures(names, [Picture("error", ["error"])])

    assert [list(picture.metrics) for picture in found] == [
        ["gradient_norm", "last_gradient_norm"],
        ["dead_units"],
        ["own_metric"],
    ]


def test_of_all_layers_the_smallest_and_the_largest_figure_are_seen_together_and_below_them_whose_they_are() -> None:
    ends = ("smallest", "largest")
    names = [f"{end}_{of}" for of in ("activation_layer", "activation_scale", "gradient_layer") for end in ends]

    found = other_pictures(names, [])

    assert [list(picture.metrics) for picture in found] == [names[4:], names[2:4], names[:2]]


def test_attempts_are_bars_on_one_line_of_time() -> None:
    found = bars([attempt(0, 4), attempt(6, None)], now=NOON + timedelta(minutes=8))

    assert [(bar.start, bar.width, bar.seconds) for bar in found] == [(0.0, 50.0, 240.0), (75.0, 25.0, 120.0)]


def test_an_attempt_that_took_no_time_is_seen_and_stays_within_the_line() -> None:
    found = bars([attempt(0, 10), attempt(10, 10)], now=NOON)

    assert found[1].width > 0
    assert found[1].start + found[1].width <= 100
    assert [(bar.start, bar.width) for bar in bars([attempt(0, 0)], now=NOON)] == [(0.0, 0.5)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (trial(TrialState.WAITING, attempts=0), "It waits for a worker."),
        (trial(TrialState.WAITING), "the worker that had it was lost"),
        (trial(TrialState.RUNNING), "It is being trained."),
        (trial(TrialState.COMPLETE, Outcome.COMPLETE), "to its end"),
        (trial(TrialState.PRUNED, Outcome.PRUNED, "step 4: worse"), "It was stopped early. Step 4: worse."),
        (trial(TrialState.FAIL, Outcome.DIVERGED), "Its training diverged."),
        (trial(TrialState.FAIL, Outcome.OUT_OF_MEMORY, "8 GiB"), "Its device had no memory left: 8 GiB"),
        (trial(TrialState.FAIL, Outcome.TIMEOUT, "60 s"), "It took longer than a limit allows: 60 s"),
        (trial(TrialState.FAIL, Outcome.LOST, "3 times"), "Its workers were lost, one after the other: 3 times"),
        (trial(TrialState.FAIL), "Its training raised an error."),
    ],
)
def test_what_became_of_a_trial_is_said_in_words(given: Trial, words: str) -> None:
    assert words in fate(given)
