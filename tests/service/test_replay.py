"""A study is played again with every pruner."""

from collections.abc import Sequence

import numpy as np
import pytest
import sqlalchemy as sa

from service import replays
from tests.service import record
from tests.service.runs import complete, lease_of, report
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound, Unavailable
from trimtab.replay import PrunerReplay, Replay
from trimtab.states import Decision

STEPS = 8
HALVING = {"name": "successive_halving"}


def curves(count: int = 14) -> list[list[float]]:
    """Errors that rise or fall, each from another height, and cross."""
    rng = np.random.RandomState(3)
    heights, slopes = 0.3 + rng.rand(count, 1) / 2, rng.rand(count, 1) / 20 - 0.02
    errors = heights - slopes * np.arange(STEPS) + rng.rand(count, STEPS) / 20
    return [[float(error) for error in curve] for curve in errors]


def run(client: Client, curve: Sequence[float], study: str = "study") -> int | None:
    """Run a trial until it is stopped, or to its end; return the step at which it was stopped."""
    lease = lease_of(client, study)
    for step, error in enumerate(curve, start=1):
        if report(client, lease, step, error).verdict is Decision.STOP:
            client.tell(lease, "pruned")
            return step
    client.tell(lease, "complete", metrics={METRIC: curve[-1]})
    return None


def by_name(replay: Replay, name: str) -> PrunerReplay:
    (found,) = [each for each in replay.pruners if each.pruner.name == name]
    return found


def stops(replay: PrunerReplay) -> dict[int, int]:
    return {each.trial: each.step for each in replay.stopped}


@pytest.mark.parametrize("pruner", ["median", "percentile", "successive_halving", "patient", "wilcoxon"])
def test_what_a_pruner_would_have_stopped_is_what_it_stops(client: Client, pruner: str) -> None:
    given = {"trials": 20}
    client.create_study(spec("without", budget=given))
    client.create_study(spec("with", budget=given, pruner={"name": pruner}))
    for curve in curves():
        complete(client, curve, "without")
    stopped = {number: step for number, curve in enumerate(curves()) if (step := run(client, curve, "with"))}

    replayed = by_name(client.replay("without"), pruner)

    assert stops(replayed) == stopped
    assert stopped
    assert replayed.epochs_saved == sum(STEPS - step for step in stopped.values())
    left = {curve[-1]: number for number, curve in enumerate(curves()) if number not in stopped}
    assert (replayed.best_value, replayed.best_trial) == min(left.items())
    assert client.best_trial("with").number == replayed.best_trial


@pytest.mark.parametrize(
    "pruner",
    [{"name": "median", "startup_trials": 2}, HALVING, {"name": "hyperband", "max_resource": 8}],
    ids=lambda pruner: pruner["name"],
)
def test_the_own_pruner_stops_again_what_it_stopped(client: Client, pruner: dict[str, object]) -> None:
    client.create_study(spec(budget={"trials": 20}, pruner=pruner))
    stopped = {number: step for number, curve in enumerate(curves()) if (step := run(client, curve))}

    own = client.replay("study").pruners[0]

    assert own.is_own
    assert stops(own) == stopped
    assert own.epochs_saved == 0, "what was stopped has spent nothing more"


def test_each_pruner_is_played_once_and_the_own_one_first(client: Client) -> None:
    client.create_study(spec(pruner=HALVING | {"reduction_factor": 3}))
    complete(client, [0.5, 0.25])

    replay = client.replay("study")

    names = [(each.pruner.name, each.is_own) for each in replay.pruners]
    others = ["median", "percentile", "hyperband", "patient", "wilcoxon"]
    assert names == [("successive_halving", True), *((name, False) for name in others)]
    assert by_name(replay, "hyperband").pruner.model_dump()["max_resource"] == 2


def test_a_pruner_that_stops_the_best_trial_loses_it(client: Client) -> None:
    client.create_study(spec())
    for curve in ([0.5, 0.5], [0.6, 0.1]):
        complete(client, curve)

    replay = client.replay("study")

    assert (replay.best_trial, replay.best_value) == (1, 0.1)
    halving, median = by_name(replay, "successive_halving"), by_name(replay, "median")
    assert (halving.loses_best, halving.best_trial, halving.best_value) == (True, 0, 0.5)
    assert (median.loses_best, median.best_trial, median.best_value) == (False, 1, 0.1)


def test_a_trial_that_is_stopped_teaches_the_others_nothing(client: Client) -> None:
    client.create_study(spec(budget={"trials": 20}))
    for error in (0.5, 0.4, 0.3, 0.2, 0.1):
        complete(client, [error] * 4)
    for _ in range(3):
        complete(client, [0.35] * 4)
    complete(client, [0.32] * 4)

    median = by_name(client.replay("study"), "median")

    # Had the three been complete, the median would have been 0.35.
    assert stops(median) == {5: 4, 6: 4, 7: 4, 8: 4}


def test_what_is_saved_was_spent_after_the_stop(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec())
    for curve in ([0.1, 0.1, 0.1], [0.9, 0.9, 0.9]):
        complete(client, curve)
    # Trial n is leased at 1000 n, reports every 100 s and ends 50 s after its last report.
    record.execute(
        engine,
        """
        UPDATE trimtab_leases l
        SET leased_at = to_timestamp(1000 * t.number), ended_at = to_timestamp(1000 * t.number + 350)
        FROM trials t WHERE t.trial_id = l.trial_id
        """,
    )
    record.execute(
        engine,
        """
        UPDATE trimtab_reports r SET reported_at = to_timestamp(1000 * t.number + 100 * r.step)
        FROM trimtab_leases l JOIN trials t USING (trial_id) WHERE l.lease_id = r.lease_id
        """,
    )

    replay = client.replay("study")

    halving = by_name(replay, "successive_halving")
    assert (replay.trials, replay.epochs, replay.seconds) == (2, 6, 700.0)
    assert stops(halving) == {1: 1}
    assert (halving.epochs_saved, halving.seconds_saved) == (2, 250.0)


def test_a_curve_that_was_given_is_compared_with_and_never_stopped(client: Client) -> None:
    client.create_study(spec())
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.9}, curve={1: {METRIC: 0.9}, 2: {METRIC: 0.9}})
    complete(client, [0.1, 0.1])

    replay = client.replay("study")

    assert (replay.trials, replay.epochs) == (2, 2)
    assert (replay.best_trial, replay.best_value) == (1, 0.1)
    assert all(0 not in stops(each) for each in replay.pruners)


def test_of_very_many_reports_the_first_trials_are_played(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.create_study(spec())
    for error in (0.3, 0.2, 0.1):
        complete(client, [error] * 4)
    monkeypatch.setattr(replays, "MAX_REPORTS", 10)

    replay = client.replay("study")

    assert (replay.trials, replay.epochs, replay.best_trial) == (2, 8, 1)


def test_of_very_many_reports_those_of_given_curves_come_last(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.create_study(spec())
    for _ in range(3):
        client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.4}, curve={at: {METRIC: 0.4} for at in range(1, 5)})
    for error in (0.3, 0.2):
        complete(client, [error] * 4)
    monkeypatch.setattr(replays, "MAX_REPORTS", 13)

    replay = client.replay("study")

    assert (replay.trials, replay.epochs, replay.best_trial) == (3, 8, 4)


def test_a_study_that_has_not_begun_has_nothing_to_play(client: Client) -> None:
    client.create_study(spec())

    replay = client.replay("study")

    assert (replay.trials, replay.best_trial, replay.best_value) == (0, None, None)
    assert all(not each.stopped and not each.loses_best for each in replay.pruners)


def test_a_study_that_is_not_there_is_not_played(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.replay("nowhere")


def test_one_study_is_played_at_a_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.create_study(spec())
    monkeypatch.setattr(replays, "_PATIENCE_SECONDS", 0)

    with replays._alone(), pytest.raises(Unavailable, match="being replayed"):
        client.replay("study")
