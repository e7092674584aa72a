"""Training code of one's own: a script for Optuna with one line changed, and a loop."""

import difflib

import pytest

from tests.e2e.running import REPOSITORY, TOKEN
from trimtab.client import Client
from trimtab.states import StudyState

SCRIPT = (REPOSITORY / "examples/objective.py").read_text()
LOOP = (REPOSITORY / "examples/loop.py").read_text()
LINE = "    study.optimize(objective, n_trials=12, timeout=600)\n"
OURS = '    study = trimtab.optimize(objective, study="perceptron", n_trials=12, timeout=600, direction="maximize")\n'


def changed() -> str:
    """The script with the line that its docstring shows, and the import that comes with it."""
    return SCRIPT.replace(LINE, OURS).replace("import optuna\n", "import optuna\nimport trimtab\n", 1)


def said_by(script: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Run a script; return the lines that it prints."""
    exec(compile(script, "objective.py", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def settings(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", server)
    monkeypatch.setenv("TRIMTAB_TOKEN", TOKEN)


def test_one_line_is_changed_and_its_import_added() -> None:
    different = difflib.ndiff(SCRIPT.splitlines(keepends=True), changed().splitlines(keepends=True))

    assert [line[2:] for line in different if line[0] in "+-"] == ["import trimtab\n", LINE, OURS]
    assert SCRIPT.count(OURS) == 1


def test_the_script_runs_with_plain_optuna(capsys: pytest.CaptureFixture[str]) -> None:
    said = said_by(SCRIPT, capsys)

    assert said[0].startswith("12 trials, ")
    assert said[1].startswith("best: trial ")


@pytest.mark.usefixtures("settings")
def test_the_changed_script_runs_as_a_study(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    said = said_by(changed(), capsys)

    study, best = client.study("perceptron"), client.best_trial("perceptron")
    assert (study.state, study.counts.finished, study.counts.fail) == (StudyState.COMPLETE, 12, 0)
    assert study.counts.pruned > 0
    assert said[:2] == [
        f"12 trials, {study.counts.pruned} of them pruned",
        f"best: trial {best.number} with {best.values['value']}",
    ]
    assert said[2:] == [f"  {name}: {value}" for name, value in best.params.items()]
    assert {name for name in best.params if name.startswith("units_")} == {
        f"units_{layer}" for layer in range(int(str(best.params["layers"])))
    }


@pytest.mark.usefixtures("settings")
def test_the_loop_trains_a_study_and_says_what_is_best(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    said = said_by(LOOP, capsys)

    study, best = client.study("loop"), client.best_trial("loop")
    assert (study.state, study.counts.finished, study.counts.fail) == (StudyState.COMPLETE, 8, 0)
    assert said == [f"best: trial {best.number} with {best.values}: {dict(best.params)}"]
    assert best.values["validation_error"] is not None
    assert best.values["validation_error"] < 0.1
