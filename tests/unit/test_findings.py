"""What the doctor sees: each finding at its threshold, and their order."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from service.diagnosis import Case, Rate, examine
from service.diagnosis.case import Curve
from service.diagnosis.curve import curve, finite
from service.diagnosis.rates import rank_correlation
from tests.unit.cases import HEALTHY, case, codes, errors, study
from trimtab.data import DatasetFacts, Problem
from trimtab.diagnosis import Diagnosis, FindingCode
from trimtab.space import Float, Scale
from trimtab.spec import StudySpec
from trimtab.states import Outcome

RATES = Float(low=1e-5, high=1e-3, scale=Scale.LOG)


def flow(ratio: float) -> dict[str, float]:
    """Gradients of the first and the last layer."""
    return {"first_gradient_norm": ratio, "last_gradient_norm": 1.0}


def seen(one: Case) -> list[str]:
    """Return the codes of what the doctor finds."""
    return codes(examine(one).findings)


def test_a_healthy_trial_has_no_findings_and_no_edits() -> None:
    diagnosis = examine(case(curve=errors(0.5, 0.1, 0.02, 0.01, 0.011, 0.01, 0.009, 0.01, 0.01, 0.01)))

    assert (diagnosis.conditions, diagnosis.findings, diagnosis.edits) == ([], [], [])


@pytest.mark.parametrize(
    ("code", "below", "above"),
    [
        ("label_leak", {"leak_error": 0.021}, {"leak_error": 0.02}),
        ("label_leak", {"leak_error": 0.11, "classes": 0}, {"leak_error": 0.1, "classes": 0}),
        ("duplicates", {"duplicate_share": 0.05}, {"duplicate_share": 0.051}),
        ("shift", {"shift_auc_low": 0.6, "shift_auc": 0.7}, {"shift_auc_low": 0.61, "shift_auc": 0.7}),
        ("shift", {"test_shift_auc_low": 0.6, "test_shift_auc": 0.7}, {"test_shift_auc_low": 0.61}),
        ("small_hold_out", {"validation_examples": 30}, {"validation_examples": 29}),
        ("first_loss", {"first_loss": 2.99 * math.log(10)}, {"first_loss": 3.01 * math.log(10)}),
        ("vanishing", flow(1.01e-4), flow(0.99e-4)),
        ("exploding", flow(0.99e4), flow(1.01e4)),
    ],
)
def test_each_finding_has_its_threshold(code: str, below: dict[str, Any], above: dict[str, Any]) -> None:
    assert (seen(case(**below)), seen(case(**above))) == ([], [code])


def test_what_was_not_told_is_not_found() -> None:
    whole = case()
    bare = replace(whole, metrics={name: whole.metrics[name] for name in ("training_error", "validation_error")})

    assert seen(bare) == []


def test_a_shift_is_said_of_the_sets_that_differ() -> None:
    training: dict[str, Any] = {"shift_auc": 0.8, "shift_auc_low": 0.7}
    test: dict[str, Any] = {"test_shift_auc": 0.99, "test_shift_auc_low": 0.9}
    sets = ["those that training holds out", "those of the test", "train on examples like", "one distribution"]

    (one,), (other,), (both,) = (examine(case(**told)).findings for told in (training, test, training | test))

    assert [[words in finding.text for words in sets] for finding in (one, other, both)] == [
        [True, False, True, False],
        [False, True, False, True],
        [True, True, True, True],
    ]
    assert (one.figures, other.figures, both.figures) == (training, test, training | test)


def test_a_few_copies_are_counted_over_all_folds() -> None:
    folded = study(task={"data": {"dataset": "iris", "split": {"folds": 5}}})

    few, more = (case(folded, validation_examples=9, duplicate_share=copies / 45) for copies in (2.4, 2.6))

    assert (seen(few), seen(more)) == ([], ["duplicates"])


@pytest.mark.parametrize(("loss", "most"), [("auto", 25), ("squared", 25), ("absolute", 5), ("huber", 4.5)])
def test_a_first_loss_of_numbers_is_that_of_answers_five_deviations_off(loss: str, most: float) -> None:
    spec = study(task={"data": {"dataset": "diabetes", "normalization": "none"}, "fixed": {"loss": loss}})

    begun, ill = (examine(case(spec, first_loss=first, classes=0)) for first in (most, most * 1.01))

    assert (codes(begun.findings), codes(ill.findings)) == ([], ["first_loss"])
    assert {edit.path: edit.to for edit in ill.edits} == {"task.data.normalization": "standard"}


def test_a_first_loss_of_numbers_that_is_of_nobody_knows_what_says_nothing() -> None:
    asked = StudySpec.model_validate({"name": "told", "task": None, "space": {"learning_rate": RATES}}).resolved()

    assert seen(case(asked, first_loss=1e6, classes=0)) == []


def rare(**figures: float) -> Case:
    """A trial on two classes, of which one has 15 of 1,000 examples: who never says it errs by 0.015."""
    facts = DatasetFacts(Problem.CLASSIFICATION, 1000, ("size",), classes=2, class_sizes=(985, 15))
    spec = study(task={"data": {"dataset": "ours"}})
    healthy = case(spec, first_loss=0.7, classes=2, validation_error=0)
    return replace(healthy, metrics={**healthy.metrics, **figures}, datasets={"ours": facts})


def test_a_feature_that_answers_no_better_than_a_guess_is_no_leak_however_little_a_guess_errs() -> None:
    found = [seen(rare(leak_error=error)) for error in (0.015, 0.0016, 0.0014)]

    assert found == [[], [], ["label_leak"]]


def test_who_never_says_a_rare_class_has_bias() -> None:
    found = [seen(rare(training_error=error, validation_error=error)) for error in (0.015, 0.0076, 0.0074)]

    assert found == [["bias"], ["bias"], []]


def test_where_patience_keeps_the_best_epoch_nothing_turns_up() -> None:
    turning = errors(0.9, 0.1, 0.02, 0.02, 0.02, 0.03, 0.04, 0.05, 0.05, 0.05)
    specs = [study(task={"fixed": {"patience": patience}}) for patience in (0, 5)]

    whole, stopped = (seen(case(spec, curve=turning, validation_error=0.02)) for spec in specs)

    assert (whole, stopped) == (["validation_turning_up"], [])


@pytest.mark.parametrize("classes", [1, -3, 0.5, 2.5])
def test_a_number_of_classes_that_cannot_be_is_none(classes: float) -> None:
    assert seen(case(first_loss=100, leak_error=0, classes=classes)) == []


def test_dead_units_matter_where_the_network_does_not_fit() -> None:
    assert seen(case(dead_units=0.9)) == []
    assert seen(case(dead_units=0.5, training_error=0.2, validation_error=0.2)) == ["bias"]
    assert seen(case(dead_units=0.51, training_error=0.2, validation_error=0.2)) == ["dead_units", "bias"]


@pytest.mark.parametrize(
    ("scale", "error", "expected"),
    [
        (0.029, 0.2, ["small_first_weights", "bias"]),
        (0.03, 0.2, ["bias"]),
        (0.0, 0.2, ["small_first_weights", "bias"]),
        (1e-6, 0.02, []),
    ],
)
def test_first_weights_are_too_small_where_hardly_anything_passes_through_a_network_that_does_not_fit(
    scale: float, error: float, expected: list[str]
) -> None:
    ill = case(untrained_activation_scale=scale, training_error=error, validation_error=error)

    assert seen(ill) == expected


def norms(*values: float) -> Curve:
    return [{"gradient_norm": value} for value in values]


def test_gradients_that_grow_a_thousandfold_explode() -> None:
    assert seen(case(curve=norms(1, 900, 2))) == []
    assert seen(case(curve=norms(1, 1100, 2))) == ["exploding"]


def test_gradients_that_are_next_to_nothing_at_the_end_of_a_good_training_do_not_vanish() -> None:
    ratios = [1.0, 1.0, 1.0, 1e-6, 1e-6]

    points = [{"first_gradient_norm": ratio, "last_gradient_norm": 1.0} for ratio in ratios]

    assert seen(case(curve=points)) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05), ["variance", "still_improving"]),
        ((0.9, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05), ["variance"]),
        ((0.9, 0.1, 0.02, 0.02, 0.02, 0.03, 0.04, 0.05, 0.05, 0.05), ["variance", "validation_turning_up"]),
    ],
)
def test_curves_say_whether_training_ended_too_early_or_too_late(values: Sequence[float], expected: list[str]) -> None:
    assert seen(case(curve=errors(*values), validation_error=values[-1])) == expected


def test_most_of_the_best_trials_have_to_be_still_improving() -> None:
    falling, resting = errors(*np.linspace(0.9, 0.0, 10)), errors(*[0.0] * 10)

    few = replace(case(curve=falling), others=[resting, resting])
    most = replace(case(curve=falling), others=[falling, resting])

    assert (seen(few), seen(most)) == ([], ["still_improving"])


def rated(losses: Sequence[float]) -> Case:
    """A study whose trials have learning rates from one end of the range to the other."""
    values = np.geomspace(RATES.low, RATES.high, len(losses))
    best = float(values[int(np.argmin(losses))])
    spec = study(space={"learning_rate": RATES})
    rates = [Rate(float(value), loss) for value, loss in zip(values, losses, strict=True)]
    return replace(case(spec, params={"learning_rate": best}), rates=rates)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], ["learning_rate_on_bound"]),
        ([0.1, 0.2, 0.3, 0.4, math.inf, math.inf, math.inf, math.inf, math.inf], ["learning_rate_on_bound"]),
        ([0.9, 0.6, 0.3, 0.1, 0.0, 0.1, 0.3, 0.6, 0.9], []),
        ([0.1, 0.5, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5, 0.05], []),
        ([0.9, 0.7, 0.5, 0.3, 0.1], []),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1, 0.5], []),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1, 0.2], ["learning_rate_on_bound"]),
        ([0.108, 0.107, 0.106, 0.105, 0.104, 0.103, 0.102, 0.101, 0.1], []),
    ],
)
def test_learning_rates_press_against_a_bound_where_trials_are_the_better_the_nearer_they_are_to_it(
    losses: Sequence[float], expected: list[str]
) -> None:
    assert seen(rated(losses)) == expected


@pytest.mark.parametrize(
    ("choices", "expected"), [([1e-3, 1e-5, 1e-4], ["learning_rate_on_bound"]), ([1e-3, 1e-5], [])]
)
def test_the_ends_of_three_choices_are_bounds_too(choices: list[float], expected: list[str]) -> None:
    spec = study(space={"learning_rate": {"type": "categorical", "choices": choices}})
    rates = [Rate(rate, -math.log10(rate)) for rate in choices * 4]

    found = examine(replace(case(spec, params={"learning_rate": 1e-3}), rates=rates))

    assert codes(found.findings) == expected
    assert [edit.to for edit in found.edits] == [[1e-3, 1e-5, 1e-4, 1e-2]] * len(expected)


def test_where_hardly_anything_is_learned_the_share_of_the_loss_that_is_left_counts() -> None:
    chance = rated([0.45, 0.9, 0.5, 0.9, 0.5, 0.9, 0.5, 0.9, 0.4])
    rates = [replace(rate, left=1 - 0.05 * place) for place, rate in enumerate(chance.rates)]
    losses: Curve = [{"training_loss": 1 - 0.02 * step} for step in range(10)]
    learning = replace(chance, rates=rates, curve=losses)
    biased = {"training_error": 0.4, "validation_error": 0.4}

    ill = replace(learning, metrics={**learning.metrics, **biased})

    fits, learns, rests = seen(learning), seen(ill), seen(replace(ill, curve=[losses[0]] * 10))

    assert (fits, learns, rests) == ([], ["learning_rate_on_bound", "bias"], ["bias"])


def test_the_trend_is_the_rank_correlation_of_scipy() -> None:
    generator = np.random.default_rng(0)
    losses = generator.integers(0, 5, size=30).astype(float)
    values = generator.uniform(1e-5, 1e-3, 30)

    found = rank_correlation(values.tolist(), losses.tolist())

    assert found == pytest.approx(spearmanr(values, losses).statistic)
    assert rank_correlation([1.0, 2.0], [3.0, 3.0]) == 0


@pytest.mark.parametrize(("failed", "expected"), [(5, []), (6, ["diverging"])])
def test_most_trials_have_to_diverge(failed: int, expected: list[str]) -> None:
    ended = {Outcome.DIVERGED: failed, Outcome.COMPLETE: 5}

    assert seen(replace(case(), outcomes=ended)) == expected


@pytest.mark.parametrize(
    ("failed", "error", "classes", "expected"),
    [
        (2, 0.9, 10, ["diverging", "bias"]),
        (2, 0.81, 10, ["diverging", "bias"]),
        (2, 0.8, 10, ["bias"]),
        (2, 0.95, 0, ["diverging", "bias"]),
        (1, 0.9, 10, ["diverging", "bias"]),
        (0, 0.9, 10, ["bias"]),
    ],
)
def test_where_the_best_has_learned_nothing_a_few_that_diverge_say_as_much_as_most(
    failed: int, error: float, classes: int, expected: list[str]
) -> None:
    ill = case(training_error=error, validation_error=error, classes=classes, leak_error=2)

    found = seen(replace(ill, outcomes={Outcome.DIVERGED: failed, Outcome.COMPLETE: 4 - failed}, datasets={}))

    assert found == expected


def test_a_study_whose_trials_all_ran_out_of_memory_is_told_so() -> None:
    diagnosis = examine(Case(spec=study(), outcomes={Outcome.OUT_OF_MEMORY: 10}))

    assert codes(diagnosis.findings) == ["out_of_memory"]
    assert diagnosis.reason == "no trial is complete"
    assert {edit.path: edit.to for edit in diagnosis.edits} == {
        "space.batch_size.choices": [32, 64, 128],
        "space.hidden_units.high": 256,
    }


def test_what_is_to_be_mended_first_comes_first() -> None:
    ill = case(
        leak_error=0.0, first_loss=50, dead_units=0.9, training_error=0.2, validation_error=0.5,
        curve=errors(*np.linspace(0.9, 0.0, 10)),
    )  # fmt: skip

    found = seen(replace(ill, outcomes={Outcome.DIVERGED: 9}))

    assert found == [
        "label_leak", "first_loss", "diverging", "dead_units", "bias", "variance", "still_improving",
    ]  # fmt: skip
    assert found == [code for code in FindingCode if code in found]


def test_a_later_attempt_cuts_the_curve_where_it_begins() -> None:
    first = [{"attempt": 1, "step": step, "metrics": {"error": 1.0}} for step in (1, 2, 3, 4)]
    second = [{"attempt": 2, "step": 3, "metrics": {"error": 2.0, "size": None}}]

    found = curve([*first, *second])

    assert found == [{"error": 1.0}, {"error": 1.0}, {"error": 2.0}]


SHIFTS = {"shift_auc", "shift_auc_low", "test_shift_auc", "test_shift_auc_low"}
NAMES = sorted({*HEALTHY, *SHIFTS, "train_dev_error", "validation_error_standard_error"})
TOLD = st.dictionaries(
    st.sampled_from(NAMES),
    st.none()
    | st.sampled_from([0.0, 1.0, -3.0, 0.5, 5e-324, 1e-308, 1.7e308, -1.7e308])
    | st.floats(allow_nan=False, allow_infinity=False),
)
ASKED = [
    study(),
    study(space={"learning_rate": RATES}),
    StudySpec.model_validate({"name": "told", "task": None, "space": {"learning_rate": RATES}}).resolved(),
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ASKED), TOLD, st.lists(TOLD, max_size=12), st.integers(0, 5))
def test_whatever_figures_are_told_there_is_a_diagnosis(
    spec: StudySpec, told: dict[str, float | None], reports: list[dict[str, float | None]], diverged: int
) -> None:
    metrics, points = finite(told), [finite(report) for report in reports]
    rates = [
        Rate.of(1e-4 * (1 + place), point.get("validation_error", 0.0), point) for place, point in enumerate(points)
    ]
    params = {"learning_rate": 1e-4}

    found = examine(
        Case(spec, 0, params, metrics, points, others=[points], rates=rates, outcomes={Outcome.DIVERGED: diverged})
    )

    assert Diagnosis.model_validate_json(found.model_dump_json()) == found
