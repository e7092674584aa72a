"""A name that is misspelt is answered with the one that is near."""

import pytest

from trimtab.errors import Invalid
from trimtab.nearness import did_you_mean
from trimtab.protocol import Ask
from trimtab.spec import StudySpec
from trimtab.validation import built

MLP = {"name": "study", "task": {"name": "mlp"}}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"budgets": {"trials": 3}}, "budgets is unknown; did you mean budget?"),
        ({"task": {"name": "mlp", "data": {"datset": "digits"}}}, "task.data.datset is unknown; did you mean dataset?"),
        ({"sampler": {"name": "tpe", "startup": 3}}, "sampler.startup is unknown; did you mean startup_trials?"),
        ({"space": {"a": {"type": "int", "low": 1, "hihg": 3}}}, "space.a.hihg is unknown; did you mean high?"),
        ({"objectives": [{"metrik": "error"}]}, "objectives.0.metrik is unknown; did you mean metric?"),
        (
            {"task": {"name": "mlp", "fixed": {"epoch": 3}}},
            "task.fixed.epoch is not a hyperparameter of this task; did",
        ),
        ({"colour": "red"}, "colour is unknown"),
        # Of a grid, not of TPE.
        ({"sampler": {"name": "cmaes", "popsize": 3}}, "sampler.popsize is unknown"),
    ],
)
def test_a_field_that_is_misspelt_is_answered_with_the_one_that_is_near(fields: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid) as error:
        built(StudySpec, MLP | fields)

    assert said in str(error.value).removeprefix("not valid: ").replace("; space.a.high is missing", "")


def test_what_is_like_nothing_is_not_guessed() -> None:
    assert did_you_mean("colour", ["budget", "space"]) == ""
    with pytest.raises(Invalid) as error:
        built(Ask, {"worker": "gpu0", "colour": "red"})
    assert str(error.value) == "not valid: colour is unknown"
