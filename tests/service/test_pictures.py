"""What pages draw of a study, from trials that were run."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from service import progress
from service.pictures import curves, plane
from service.replica import Replica
from tests.service.finishing import searched
from tests.service.long_polls import wait_until
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import StudyNotFound
from trimtab.states import Decision, TrialState

WAITING = 60
"""More than a replica has threads."""


def test_curves_are_those_of_every_trial_that_has_reported(
    client: Client, replica: Replica, portal: BlockingPortal
) -> None:
    client.create_study(spec(pruner=EAGER))
    complete(client, [0.9, 0.5, 0.2])
    client.tell(lease_of(client), "error", message="broken before its first report")
    stopped = lease_of(client)
    report(client, stopped, 1, 0.95)
    client.tell(stopped, "pruned")
    runs = lease_of(client)
    report(client, runs, 1, None)

    found = portal.call(curves.read, replica, "study")

    drawn = {curve.number: (curve.state, list(curve.steps), list(curve.values)) for curve in found.curves}
    assert drawn == {
        0: (TrialState.COMPLETE, [1, 2, 3], [0.9, 0.5, 0.2]),
        2: (TrialState.PRUNED, [1], [0.95]),
        3: (TrialState.RUNNING, [1], [None]),
    }
    assert (found.metric, found.best, found.trials, found.saved_steps) == (METRIC, 0, 3, 2.0)


def test_the_bound_is_what_the_pruner_stops_by(client: Client, replica: Replica, portal: BlockingPortal) -> None:
    client.create_study(spec(pruner={"name": "median", "startup_trials": 3, "warmup_steps": 1}, budget={"trials": 99}))
    for level in (0.1, 0.2, 0.6):
        complete(client, [level, level, level / 2])
    bound = portal.call(curves.read, replica, "study").bound
    assert bound is not None
    assert (bound.measure, list(bound.steps), list(bound.values)) == ("median", [2, 3], [0.2, 0.1])

    for step, limit in zip(bound.steps, bound.values, strict=True):
        verdicts = []
        for value in (limit, limit + 1e-6):
            lease = lease_of(client)
            verdicts.append(report(client, lease, step, value).verdict)
            client.tell(lease, "error", message="only its verdict mattered")
        assert verdicts == [Decision.CONTINUE, Decision.STOP]


@pytest.mark.parametrize("pruner", ["none", "wilcoxon", "successive_halving"])
def test_where_trials_are_not_compared_step_by_step_there_is_no_bound(
    client: Client, replica: Replica, portal: BlockingPortal, pruner: str
) -> None:
    client.create_study(spec(pruner={"name": pruner}))
    complete(client, [0.9, 0.5])

    assert portal.call(curves.read, replica, "study").bound is None


def test_a_long_curve_is_thinned_to_both_its_ends(client: Client, replica: Replica, portal: BlockingPortal) -> None:
    client.create_study(spec())
    curve = {step: {METRIC: 1 / step} for step in range(1, 1002)}
    client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.1}, curve=curve)

    (drawn,) = portal.call(curves.read, replica, "study").curves

    assert (drawn.steps[0], drawn.steps[-1]) == (1, 1001)
    assert 300 < len(drawn.steps) <= 501


def test_all_trials_are_drawn_that_reported_seldom_at_large_steps(
    client: Client, replica: Replica, portal: BlockingPortal
) -> None:
    client.create_study(spec())
    curve = {step: {METRIC: 1 / step} for step in (100_000, 200_000, 1_000_000_000)}
    for number in range(12):
        client.add_trial("study", {"x": 0.5}, metrics={METRIC: number / 10}, curve=curve)

    found = portal.call(curves.read, replica, "study")

    assert len(found.curves) == found.trials == 12
    assert all(list(each.steps) == list(curve) for each in found.curves)


def test_a_picture_shows_a_trial_that_has_ended_since_it_was_last_made(
    client: Client, replica: Replica, portal: BlockingPortal
) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    before = portal.call(curves.read, replica, "study")

    complete(client, [0.4])

    after = portal.call(curves.read, replica, "study")
    assert [len(before.curves), len(after.curves)] == [1, 2]
    assert [before.best, after.best] == [0, 1]


def test_of_several_objectives_no_curve_is_the_best(client: Client, replica: Replica, portal: BlockingPortal) -> None:
    client.create_study(spec(objectives=[{"metric": METRIC}, {"metric": "size"}]))
    lease = lease_of(client)
    client.report(lease, step=1, metrics={METRIC: 0.5, "size": 3.0})
    client.tell(lease, "complete", metrics={METRIC: 0.5, "size": 3.0})

    found = portal.call(curves.read, replica, "study")

    assert (found.metric, found.best, len(found.curves)) == (METRIC, None, 1)


def test_the_plane_shows_bias_and_variance_as_the_doctor_measures_them(
    client: Client, replica: Replica, portal: BlockingPortal
) -> None:
    client.create_study(spec(diagnosis={"target_error": 0.05, "tolerance": 0.1}))
    for training, validation in [(0.05, 0.06), (0.3, 0.35), (0.06, 0.4)]:
        client.tell(
            lease_of(client),
            "complete",
            metrics={METRIC: validation, "training_error": training, "validation_error": validation},
        )
    client.tell(lease_of(client), "complete", metrics={METRIC: 0.01})

    found = portal.call(plane.read, replica, "study")

    dots = {dot.number: (dot.bias, dot.variance, [*dot.conditions]) for dot in found.dots}
    assert dots == {
        0: (0.0, 0.01, []),
        1: (0.25, 0.05, ["high_bias"]),
        2: (0.01, 0.34, ["high_variance"]),
    }
    assert (found.trials, found.target_error, found.tolerance) == (3, 0.05, 0.1)
    figures = client.diagnosis("study", 1).figures
    assert figures is not None
    assert (figures.bias, figures.variance) == pytest.approx(dots[1][:2])


def test_the_best_trial_is_over_the_others_on_the_plane(
    client: Client, replica: Replica, portal: BlockingPortal
) -> None:
    searched(client, 0.5)
    for error in (0.1, 0.3):
        metrics = {"validation_error": error, "training_error": 0.0}
        client.tell(lease_of(client), "complete", metrics=metrics)

    found = portal.call(plane.read, replica, "study")

    assert (found.best, [dot.number for dot in found.dots]) == (1, [2, 1])


def test_before_any_trial_there_is_nothing_to_draw(client: Client, replica: Replica, portal: BlockingPortal) -> None:
    client.create_study(spec())

    assert portal.call(curves.read, replica, "study").curves == []
    assert (portal.call(plane.read, replica, "study").dots, portal.call(plane.read, replica, "study").tolerance) == (
        [],
        None,
    )


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    ("path", "module", "maker"),
    [
        ("/studies/study/curves", curves, "_ended"),
        ("/studies/study/plane", plane, "_made"),
        ("/v1/studies/study/progress", progress, "_read"),
    ],
)
def test_however_many_wait_for_what_takes_long_a_worker_gets_its_trial(
    client: Client, http: httpx2.Client, path: str, module: ModuleType, maker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_study(spec())
    complete(client, [0.5])
    make, begun, may_end = getattr(module, maker), list[str](), threading.Event()

    def make_late(*given: object) -> object:
        begun.append(maker)
        may_end.wait(60)
        return make(*given)

    monkeypatch.setattr(module, maker, make_late)
    with ThreadPoolExecutor(WAITING + 1) as asking:
        waiting = [asking.submit(http.get, path) for _ in range(WAITING)]
        wait_until(lambda: bool(begun))

        try:
            trials = [asking.submit(lease_of, client).result(60).trial for _ in range(3)]
        finally:
            may_end.set()

        assert trials == [1, 2, 3]
        assert {each.result(60).status_code for each in waiting} == {200}
    assert begun == [maker]


def test_there_are_no_pictures_of_what_is_no_study(replica: Replica, portal: BlockingPortal) -> None:
    with pytest.raises(StudyNotFound):
        portal.call(curves.read, replica, "nothing")
    with pytest.raises(StudyNotFound):
        portal.call(plane.read, replica, "nothing")
