"""`python -m workers check-gradients`: what it prints, and how it ends."""

import subprocess
import sys

import pytest

from trimtab.errors import Misconfigured
from workers.check_command import run

RIGHT, WRONG = "tests.training.planted:right", "tests.training.planted:wrong"


def test_a_built_in_task_is_checked_tensor_by_tensor() -> None:
    arguments = "--task mlp --data wine --param hidden_layers=2 --param hidden_units=[8,4] --param activation=gelu"

    said, code = run(arguments.split())

    lines = [line.split() for line in said.splitlines()]
    assert code == 0
    assert lines[0] == ["TENSOR", "FIGURE", "RATING", "COMPARED", "AT", "KINKS"]
    assert [(line[0], line[2:]) for line in lines[1:4]] == [
        ("hidden.0.weight", ["right", "104", "of", "104", "0"]),
        ("hidden.0.bias", ["right", "8", "of", "8", "0"]),
        ("hidden.1.weight", ["right", "32", "of", "32", "0"]),
    ]
    assert lines[-1][:2] == ["all", "together"]
    assert lines[-1][3:] == ["right", "163", "of", "163", "0"]


def test_a_task_of_ones_own_that_is_right_passes() -> None:
    said, code = run(["--task", RIGHT, "--data", "iris"])

    assert code == 0
    assert "wrong" not in said


def test_a_wrong_backward_pass_is_named_with_its_worst_entries() -> None:
    said, code = run(["--task", WRONG, "--data", "iris"])

    table, words = said.split("\n\n")
    assert code == 1
    assert [line.split()[2] for line in table.splitlines()[1:5]] == ["wrong", "wrong", "right", "right"]
    assert "the gradient of first.weight is wrong (figure 1): [" in words
    assert "by differences and" in words


def test_the_seed_draws_other_first_weights() -> None:
    said = [run(["--task", "mlp", "--data", "iris", "--param", "hidden_units=4", "--seed", seed])[0] for seed in "001"]

    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task lstm", "is not a task: 'lstm'"),
        ("--task mlp --data mnist", "no data set of that name is built in: 'mnist'; there are digits"),
        (
            "--task mlp --data pumps",
            "with one that was put, the gradients of a study of it are checked by: trimtab stu",
        ),
        (
            "--task tests.training.own_tasks:clamping --data iris",
            "; if width is a hyperparameter, give it: --param width=VALUE",
        ),
        ("--task cnn --data iris", "cnn is for images, and iris is a table"),
        ("--task mlp --param activation=step", "activation cannot be 'step'; one of relu"),
        ("--task mlp --param width=3", "width is not a hyperparameter of this task"),
        ("--task mlp --param width=3 --param epochs=0", "; epochs cannot be 0"),
        ("--task nowhere:build", "nowhere:build cannot be imported"),
        ("--task tests.training.own_tasks:no_network", "cannot be built: TypeError: build returned a Tensor"),
        (
            "--task mlp --param hidden_layers=60 --param activation=leaky_relu --param initialization_gain=1e6",
            "cannot be checked: the loss of the first batch is not finite",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(arguments: str, message: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        run(arguments.split())

    assert message in str(refused.value)


@pytest.mark.parametrize("arguments", ["", "--task mlp --seed x", "--task mlp --param activation"])
def test_a_wrong_command_line_ends_with_code_2(arguments: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(arguments.split())

    assert exit_.value.code == 2


def test_the_command_needs_no_service_and_ends_by_the_rating() -> None:
    command = [sys.executable, "-m", "workers", "check-gradients", "--task", WRONG, "--data", "iris"]

    ran = subprocess.run(
        command, env={"TRIMTAB_SERVER": "http://127.0.0.1:1"}, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stdout.startswith("TENSOR")
    assert ran.stderr == ""
