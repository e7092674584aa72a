"""A study as people have it in their hands: created, looked at, changed, followed to its end."""

import pytest

import trimtab
from tests.service.runs import complete, lease_of, report
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Invalid, StudyExists, StudyNotFound
from trimtab.handle import StudyHandle
from trimtab.protocol import Counts
from trimtab.states import StudyState, TrialState

SPACE = {"x": trimtab.Float(low=0.0, high=1.0)}
OBJECTIVES = [{"metric": METRIC}]


def handle(client: Client, trials: int = 2) -> StudyHandle:
    """A study that anybody asks and tells."""
    return trimtab.create_study(
        "study",
        task=None,
        trials=trials,
        space=SPACE,
        objectives=OBJECTIVES,
        sampler="random",
        pruner=trimtab.NoPruner(),
        client=client,
    )


def test_a_study_is_created_from_plain_values(client: Client) -> None:
    study = handle(client, trials=7)

    assert repr(study) == "StudyHandle('study')"
    assert study.spec == spec(budget={"trials": 7}).resolved()
    assert (study.state, study.counts) == (StudyState.RUNNING, Counts())


def test_a_study_of_a_task_needs_its_name_alone(client: Client) -> None:
    study = trimtab.create_study("digits", client=client)

    assert study.spec.task == trimtab.TaskSpec(name="mlp")
    assert study.spec.budget.trials == 100


def test_the_data_set_of_a_task_is_named_beside_it(client: Client) -> None:
    study = trimtab.create_study("flowers", task="mlp", data="iris", trials=5, client=client)

    assert study.spec.task is not None
    assert study.spec.task.data.dataset == "iris"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data": "iris", "task": None, "space": SPACE}, "data goes with the name of a task"),
        ({"trials": 3, "budget": {"seconds": 5.0}}, "either trials or a budget"),
        ({"samplr": "tpe"}, r"samplr is unknown; did you mean sampler\?"),
        ({"trails": 4}, r"trails is unknown; did you mean trials\?"),
        ({"dta": "iris"}, r"dta is unknown; did you mean data\?"),
        ({"sampler": "tpee"}, "sampler"),
    ],
)
def test_what_is_no_study_is_refused_before_it_is_sent(client: Client, fields: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        trimtab.create_study("study", client=client, **fields)  # type: ignore[arg-type]  # plain values, as people have

    assert list(client.studies()) == []


def test_the_same_study_again_is_the_study_as_it_is(client: Client) -> None:
    handle(client)
    complete(client, [0.5])

    again = handle(client)

    assert again.counts == Counts(complete=1)
    with pytest.raises(StudyExists):
        handle(client, trials=3)


def test_a_handle_is_had_on_what_is_there(client: Client) -> None:
    handle(client)

    assert trimtab.study("study", client=client).name == "study"
    with pytest.raises(StudyNotFound):
        trimtab.study("stduy", client=client)


def test_trials_are_read_by_state_number_and_value(client: Client) -> None:
    study = handle(client, trials=3)
    complete(client, [0.5, 0.3])
    complete(client, [0.5, 0.4])
    lease_of(client)

    assert [trial.number for trial in study.trials()] == [0, 1, 2]
    assert [trial.number for trial in study.trials("running")] == [2]
    assert [trial.number for trial in study.trials(TrialState.COMPLETE)] == [0, 1]
    assert study.best_trial().values == {METRIC: 0.3}
    assert [trial.number for trial in study.best_trials()] == [0]
    assert [each.step for each in study.trial(0).reports] == [1, 2]


def test_trials_are_given_and_stopped(client: Client) -> None:
    study = handle(client, trials=3)

    study.add_trial({"x": 0.25}, metrics={METRIC: 0.1})
    queued = study.enqueue({"x": 0.5})
    stopped = study.stop_trial(queued.number)

    assert study.best_trial().params == {"x": 0.25}
    assert stopped.state is TrialState.PRUNED


def test_a_study_is_paused_resumed_enlarged_and_stopped(client: Client) -> None:
    study = handle(client)

    assert study.pause().state is StudyState.PAUSED
    assert study.resume().state is StudyState.RUNNING
    assert study.change(budget=20).spec.budget.trials == 20
    assert study.stop().state is StudyState.STOPPED


def test_a_study_is_deleted(client: Client) -> None:
    study = handle(client)

    study.delete()

    with pytest.raises(StudyNotFound):
        study.read()


def test_a_study_is_followed_with_its_running_trials_to_its_end(client: Client) -> None:
    study = handle(client)
    complete(client, [0.5])
    report(client, lease := lease_of(client), 1, 0.25)
    going = StudyHandle(client, study.name, sleep=lambda _: client.tell(lease, "complete", metrics={METRIC: 0.2}))

    first, last = going.watch()

    assert [(trial.number, trial.step, trial.metrics) for trial in first.running] == [(1, 1, {METRIC: 0.25})]
    assert first.best is not None
    assert first.best.number == 0
    assert (last.study.state, last.study.counts, last.running) == (StudyState.COMPLETE, Counts(complete=2), ())
    assert last.best is not None
    assert last.best.number == 1


def test_whoever_waits_sees_a_line_for_each_change(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    handle(client, trials=1)
    waiting = StudyHandle(client, "study", sleep=lambda _: complete(client, [0.5]))

    ended = waiting.wait()

    shown = capsys.readouterr().out.splitlines()
    assert ended.study.state is StudyState.COMPLETE
    assert [line.split(":")[0] for line in shown] == ["study running", "study complete"]


def test_whoever_waits_may_do_so_in_silence(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    handle(client, trials=1)
    complete(client, [0.5])

    ended = trimtab.study("study", client=client).wait(display=False)

    assert ended.study.state is StudyState.COMPLETE
    assert capsys.readouterr().out == ""


def test_what_a_study_has_taught_is_asked_of_it(client: Client) -> None:
    study = handle(client)
    complete(client, [0.5])

    assert study.importances().metric == METRIC
    assert study.progress().finished == 1
    assert study.rounds() == []
    assert study.replay().trials == 1
    assert study.checks() == []
    assert study.diagnosis().study == "study"


def test_a_study_is_a_frame_of_its_trials_and_one_of_their_curves(client: Client) -> None:
    study = handle(client, trials=3)
    complete(client, [0.5, 0.3])
    lease_of(client)

    trials, curves = study.frame(), study.curves("polars")

    assert list(trials["number"]) == [0, 1]
    assert list(trials["state"]) == ["complete", "running"]
    assert trials["value"][0] == 0.3
    assert trials["params_x"].between(0, 1).all()
    assert curves.rows() == [(0, 1, METRIC, 0.5), (0, 2, METRIC, 0.3)]
