import pytest

from trimtab.space import Scale
from trimtab.tasks import MLP, OWN, TASKS, Task
from trimtab.tasks.usual import usual


@pytest.mark.parametrize("task", [*TASKS.values(), OWN], ids=[*TASKS, "own"])
def test_a_hyperparameter_can_have_all_values_that_are_usual(task: Task) -> None:
    for name, knob in task.hyperparameters.items():
        assert all(knob.allowed.contains(value) for value in usual(name, task).extremes()), name


def test_what_is_usual_is_the_default_space_then_the_practice_then_all_that_is_allowed() -> None:
    assert MLP.space
    assert usual("hidden_units", MLP) == MLP.space["hidden_units"]
    assert usual("beta2", MLP).model_dump(exclude_none=True) == {
        "type": "float",
        "low": 0.9,
        "high": 0.999,
        "scale": Scale.REVERSE_LOG,
    }
    assert usual("loss", MLP) == MLP.hyperparameters["loss"].allowed
