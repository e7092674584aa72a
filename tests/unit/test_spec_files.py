"""Specs as files: JSON and YAML mean the same, and what is wrong is said with its place."""

import pytest

from trimtab.errors import Invalid
from trimtab.spec_files import spec_of

YAML = b"""
name: digits
task: {name: "ours:build", data: {dataset: digits}}
space:
  learning_rate: {type: float, low: 1e-4, high: 1E-1, scale: log}
  optimizer: &choice {type: categorical, choices: [momentum, adam]}
  flavour: {<<: *choice, choices: [none, no]}
budget:
  trials: 60   # enough
"""

JSON = b"""{
  "name": "digits", "task": {"name": "ours:build", "data": {"dataset": "digits"}},
  "space": {
    "learning_rate": {"type": "float", "low": 0.0001, "high": 0.1, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
    "flavour": {"type": "categorical", "choices": ["none", "no"]}},
  "budget": {"trials": 60}}"""


def test_yaml_and_json_give_the_same_spec() -> None:
    assert spec_of(YAML) == spec_of(JSON)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"name: x\nbudget:\n  trials: 3\n  trials: 4\n", "no YAML, line 4, column 3: the key 'trials' stands twice"),
        (b"name: [x\ntask: 3", "no YAML, line 2, column 5"),
        (b"name: x\n\ttask: null", "no YAML, line 2, column 1"),
        (b"name: !!python/object:os.system x", "no YAML, line 1, column 7: could not determine a constructor"),
        (b"name: &loop [*loop]", "holds what no JSON can: Circular reference"),
        (b"name: !!binary aGk=", "holds what no JSON can"),
        (b"- name: x", "body must be an object, not a list"),
        (b"", "the file is empty: a study has at least a name and a task"),
        (b"# nothing yet\n", "the file is empty"),
        (b"name: x\ntask: mlp\n", "task must be an object, not a text: write {name: mlp}"),
        (
            b'{"name": "x", "task": "mlp", "pruner": "median"}',
            "pruner must be an object, not a text: write {name: median}",
        ),
        (b'{"name": "x", "name": "y"}', "the key 'name' twice"),
        (b'{"name": }', "no JSON: Expecting value: line 1 column 10"),
        (b"\xff\xff", "holds what no JSON can"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(text: bytes, said: str) -> None:
    with pytest.raises(Invalid) as error:
        spec_of(text)

    assert said in str(error.value)
