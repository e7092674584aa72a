"""What people see."""

from io import StringIO

import pytest
from rich.console import Console, RenderableType

from tests.unit import samples
from trimtab import rendering
from trimtab.budget import Budget
from trimtab.protocol import Study, Used
from trimtab.space import Categorical, Float, Int, Scale, Space
from trimtab.states import Outcome, StudyState, TrialState
from trimtab.trial_view import trials_table


def lines(shown: RenderableType, width: int = 200) -> list[str]:
    """Return what a pipe gets, without the blanks at the ends of lines."""
    console = Console(file=StringIO(), width=width)
    console.print(shown)
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def words(shown: RenderableType) -> list[str]:
    """Return the lines without what aligns their columns."""
    return [" ".join(line.split()) for line in lines(shown)]


def test_a_study_is_a_line_of_the_list() -> None:
    study = samples.study("digits", running=2, waiting=1, complete=8, pruned=4, fail=1)

    header, line = words(rendering.studies_table([study]))

    assert header == "STUDY STATE FINISHED RUNNING PRUNED FAILED TASK CREATED"
    assert line.startswith("digits running 13/40 2 4 1 mlp on digits 2026-")


def test_tags_and_priorities_are_shown_where_there_are_any() -> None:
    plain = samples.study("plain")
    marked = samples.study("marked")
    marked = marked.model_copy(
        update={"spec": marked.spec.model_copy(update={"tags": ("ours", "night"), "priority": 5})}
    )

    header, *shown = words(rendering.studies_table([marked, plain]))

    assert header == "STUDY STATE FINISHED RUNNING PRUNED FAILED TASK TAGS PRIORITY CREATED"
    assert "mlp on digits ours, night 5 2026-" in shown[0]
    assert "mlp on digits 2026-" in shown[1]
    assert {"tags ours, night", "priority 5"} <= set(words(rendering.study_view(marked, None)))
    assert not [line for line in words(rendering.study_view(plain, None)) if line.startswith(("tags", "priority"))]


def test_a_study_is_shown_with_its_space_and_its_best_params() -> None:
    study = samples.study(running=2, complete=8, pruned=4)

    shown = words(rendering.study_view(study, samples.best(7, 0.0278)))

    assert "state running" in shown
    assert "trials 12 of 40 finished: 8 complete, 4 pruned, 0 failed, 2 running" in shown
    assert "best validation_error 0.0278 (trial 7)" in shown
    assert "objective minimize validation_error" in shown
    assert "sampler tpe, seed 0, startup_trials 10" in shown
    assert "pruner median, warmup_steps 3, interval_steps 1, startup_trials 5, min_trials 1" in shown
    assert "learning_rate 0.0001 .. 1 log 0.0031" in shown
    assert "momentum 0.9 .. 0.999 reverse_log optimizer is momentum" in shown
    assert "optimizer momentum, adam adam" in shown


def test_a_study_is_shown_with_what_is_used_of_its_budget() -> None:
    budget = Budget(trials=None, epochs=5000, seconds=3600.0, device_seconds=1e6, target=0.01, patience=20)
    used = Used(trials=14, epochs=812, seconds=61.4, device_seconds=118.6)
    study = samples.study(complete=12, running=2)
    spec = study.spec.model_copy(update={"budget": budget})
    changes = {"spec": spec, "used": used, "added": 4, "closing": "budget.target: error is 0.01", "warnings": ["never"]}

    study = study.model_copy(update=changes)

    shown = words(rendering.study_view(study, None))
    assert "closing budget.target: error is 0.01" in shown
    assert "trials 8 finished, 4 added: 12 complete, 0 pruned, 0 failed, 2 running" in shown
    expected = "812 of 5000 epochs, 61 of 3600 seconds, 119 of 1000000 device_seconds, target 0.01, patience 20"
    assert f"budget {expected}" in shown
    assert "warning never" in shown
    assert rendering.progress_line(study, None).startswith("digits running: 8 finished, 4 added, 12 complete")
    assert lines(rendering.progress_view(study, None))[0].endswith("8, 4 added  running")


def test_steps_and_several_conditions_are_shown() -> None:
    space = Space(
        {
            "a": Categorical(choices=(1, 2, 3)),
            "b": Categorical(choices=("x",)),
            "c": Int(low=0, high=10, step=5, when={"a": (1, 2), "b": ("x",)}),
            "d": Float(low=0.0, high=1.0, step=0.25, scale=Scale.LINEAR),
        }
    )
    study = samples.study()
    study = study.model_copy(update={"spec": study.spec.model_copy(update={"space": space})})

    shown = words(rendering.study_view(study, None))

    assert "c 0 .. 10 step 5 linear a is 1 or 2, b is x" in shown
    assert "d 0 .. 1 step 0.25 linear" in shown
    assert "best none yet" in shown


def test_a_study_says_why_it_stopped() -> None:
    study = samples.study(state=StudyState.STOPPED).model_copy(update={"reason": "10 trials failed in a row"})

    assert "state stopped: 10 trials failed in a row" in words(rendering.study_view(study, None))


def test_why_a_trial_failed_is_shown_whole_in_a_narrow_terminal() -> None:
    said = f"KeyError: 'conv' (broken.py, line 4: {'Z' * 60})"
    failed = samples.trial(0, state=TrialState.FAIL, outcome=Outcome.ERROR, reason=said)

    listed = lines(trials_table([failed]), width=80)
    shown = lines(rendering.study_view(samples.study(), None, failed=said), width=40)

    for printed in (listed, shown):
        assert "".join(printed).count("Z") == 60
        assert "…" not in "".join(line for line in printed if "Z" in line)


def test_the_best_trial_is_shown_with_all_its_metrics_and_params() -> None:
    shown = words(rendering.best_view(samples.best(7, 0.0278)))

    assert "trial 7 (of 12 finished; the study is running)" in shown
    assert "step 30" in shown
    assert "validation_error 0.0278" in shown
    assert "training_error 0" in shown
    assert "learning_rate 0.0031" in shown
    assert "optimizer adam" in shown


def test_a_metric_that_is_not_finite_says_so() -> None:
    best = samples.best(7, 0.0278, metrics={"training_loss": None})

    assert "training_loss not finite" in words(rendering.best_view(best))


def test_a_worker_is_shown_with_what_it_does() -> None:
    alive, gone = samples.worker("gpu0@host"), samples.worker("gpu1@host", is_alive=False)

    _, first, second = words(rendering.workers_table([alive, gone]))

    assert first.startswith("gpu0@host alive cuda:0 digits 7 2026-")
    assert second.startswith("gpu1@host gone")


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "two\nlines", "bell\a", "[bold]loud"])
def test_others_words_cannot_steer_the_terminal(hostile: str) -> None:
    worker = samples.worker("gpu0").model_copy(update={"device": hostile, "trials": []})

    shown = lines(rendering.workers_table([worker]))

    assert len(shown) == 2
    assert all(letter.isprintable() for letter in shown[1])
    assert hostile.strip("\x1b\a").replace("\n", " ") in shown[1]


def test_progress_fits_into_a_narrow_terminal() -> None:
    study = samples.study(running=2, complete=8, pruned=4)

    bar, counts, best = lines(rendering.progress_view(study, samples.best(7, 0.0278)), width=80)

    assert bar.startswith("digits")
    assert bar.endswith("12/40  running")
    assert counts == "8 complete, 4 pruned, 0 failed, 2 running"
    assert best == "best: validation_error 0.0278 (trial 7)"


def test_progress_is_one_line_where_there_is_no_terminal() -> None:
    study = samples.study(running=2, complete=8, pruned=4, fail=1, waiting=1)

    line = rendering.progress_line(study, samples.best(7, 0.0278))

    assert line == (
        "digits running: 13/40 finished, 8 complete, 4 pruned, 1 failed, 2 running, 1 waiting; "
        "best: validation_error 0.0278 (trial 7)"
    )


def test_the_bar_grows_with_the_finished_trials() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system="truecolor")
    empty, half, full = samples.study(), samples.study(complete=20), samples.study(complete=40)

    filled = [len(filled_part(console, study)) for study in (empty, half, full)]

    assert filled == [0, rendering.BAR_COLUMNS // 2, rendering.BAR_COLUMNS]


def filled_part(console: Console, study: Study) -> str:
    """Return the filled part of a study's bar: what is drawn in another colour than the rest."""
    segments = console.render(rendering.progress_view(study, None))
    rest = console.get_style("bar.back")
    bars = [segment for segment in segments if set(segment.text) & set("━╸╺")]
    return "".join(segment.text for segment in bars if segment.style and segment.style.color != rest.color)
