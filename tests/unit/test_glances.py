"""What a line of Python shows of what it was answered: as much as a line holds."""

from tests.unit import samples
from tests.unit.test_notebooks import diagnosis
from trimtab.watching import Progress


def test_a_trial_is_its_values_and_its_params() -> None:
    best = samples.best(7, 0.0278)

    assert repr(best) == (
        "BestTrial(study='digits', number=7, state='complete', values={'validation_error': 0.0278}, "
        "params={'learning_rate': 0.0031, 'optimizer': 'adam'})"
    )
    assert repr(samples.history(3)).startswith("TrialHistory(study='digits', number=3, state='running'")
    assert "reports" not in repr(samples.history(3))


def test_a_study_that_was_waited_for_is_how_far_it_came_and_its_best_trial() -> None:
    study, best = samples.study(complete=4), samples.best(7, 0.0278)

    shown = repr(Progress(study, best, etag="x"))

    assert shown == f"Progress(study={study!r}, best={best!r}, running=())"
    assert repr(study) == f"Study(name='digits', state='running', counts={study.counts!r})"


def test_a_diagnosis_is_what_was_found_and_what_is_to_be_changed() -> None:
    assert repr(diagnosis()) == (
        "Diagnosis(study='digits', trial=3, conditions=['high_bias'], findings=['bias'], edits=['space.x.high'])"
    )
