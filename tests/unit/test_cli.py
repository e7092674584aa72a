"""The command line: what it sends, what it prints, how it ends."""

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.stub import Answer, Asked, Stub, refused, said
from trimtab.errors import Invalid, NoCompleteTrial, StudyExists, StudyNotFound
from trimtab.protocol import FieldProblem, MadeToken
from trimtab.states import Outcome, StudyState, TrialState

TRIMTAB = [sys.executable, "-c", "from trimtab.cli import main; main()"]

# Where the tests run in the background a shell has them ignore Ctrl-C, and a child would do as they do.
HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
HEEDING = [sys.executable, "-c", f"{HEED}; from trimtab.cli import main; main()"]


def test_a_study_is_created_from_a_name_and_what_differs(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study("wines"), status=201))

    ran = run("study", "create", "wines", "--task", "mlp", "--dataset", "wine", "--trials", "40")

    sent = stub.asked[0].body
    assert (sent["name"], sent["task"]["name"], sent["task"]["data"]["dataset"]) == ("wines", "mlp", "wine")
    assert sent["budget"]["trials"] == 40
    assert (ran.code, ran.errors) == (0, "")
    assert ran.output.splitlines()[0] == "study wines is running: 40 trials"
    assert "trimtab study watch wines" in ran.output


def test_a_study_that_nobody_can_train_says_which_command_can(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study(), status=201), said(samples.page(samples.worker("other"))))

    ran = run("study", "create", "digits")

    assert ran.code == 0
    assert ran.errors == "look: no worker that is alive has the task mlp: python -m workers\n"


def test_a_study_that_may_never_end_says_so(stub: Stub, run: Run) -> None:
    study = samples.study().model_copy(update={"warnings": ["nothing ends\x1bit"], "added": 3})
    stub.answers(said(study, status=201))

    ran = run("study", "create", "digits")

    assert ran.output.splitlines()[:2] == [
        "study digits is running: 40 trials; 3 taken over",
        "warning: nothing ends it",
    ]


def test_the_version_is_said_without_a_service(stub: Stub, run: Run) -> None:
    ran = run("--version")

    assert (ran.code, ran.output, stub.asked) == (0, f"{version('trimtab')}\n", [])


def test_a_name_is_enough(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study(), status=201))

    run("study", "create", "digits")

    assert stub.asked[0].body["task"]["name"] == "mlp"
    assert stub.asked[0].body["budget"] == {}


def test_a_study_is_created_from_a_file(stub: Stub, run: Run, tmp_path: Path) -> None:
    stub.answers(said(samples.study(), status=201))
    (tmp_path / "spec.json").write_text(samples.SPEC.model_dump_json())

    ran = run("study", "create", "--file", str(tmp_path / "spec.json"))

    assert ran.code == 0
    assert stub.asked[0].body == json.loads(samples.SPEC.model_dump_json())


def test_a_study_is_created_from_standard_input(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study(), status=201))

    ran = run("study", "create", "-f", "-", given=samples.SPEC.model_dump_json())

    assert ran.code == 0
    assert stub.asked[0].body == json.loads(samples.SPEC.model_dump_json())


def test_a_spec_at_fault_names_its_fields_in_one_line(stub: Stub, run: Run) -> None:
    ran = run("study", "create", "-f", "-", given='{"name": "x", "task": {"name": "mlp"}, "budget": {"trials": 0}}')

    assert ran.code == 2
    assert ran.errors == "trimtab: not valid: budget.trials must be at least 1, not 0\n"
    assert stub.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["digits", "--file", "spec.json"],
        ["--file", "nowhere.json"],
        ["digits", "--trials", "many"],
        ["digits", "--colour", "red"],
    ],
)
def test_wrong_usage_is_said_before_anything_is_sent(stub: Stub, run: Run, arguments: list[str]) -> None:
    ran = run("study", "create", *arguments)

    assert ran.code == 2
    assert "Error: " in ran.errors
    assert stub.asked == []


def test_a_file_and_other_options_do_not_go_together(stub: Stub, run: Run) -> None:
    ran = run("study", "create", "-f", "-", "--trials", "3", given=samples.SPEC.model_dump_json())

    assert ran.code == 2
    assert "leave the other options out" in ran.errors
    assert stub.asked == []


def test_studies_are_listed(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(samples.study("newer"), samples.study("older"))))

    ran = run("study", "list")

    assert [line.split()[0] for line in ran.output.splitlines()] == ["STUDY", "newer", "older"]
    assert stub.asked[0].query["limit"] == "20"


def test_long_names_are_whole_in_a_pipe(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(samples.study("x" * 128))))

    assert "x" * 128 in run("study", "list").output


def test_lists_and_trials_are_json_for_machines(stub: Stub, run: Run) -> None:
    stub.answers(
        said(samples.page(samples.study("a"), samples.study("b"))),
        said(samples.page()),
        said(samples.study("a")),
        said(samples.best(7, 0.0278)),
    )

    listed = json.loads(run("study", "list", "--json").output)
    none = json.loads(run("study", "list", "--json").output)
    shown = json.loads(run("study", "show", "a", "--json").output)
    best = json.loads(run("study", "best", "a", "--json").output)

    assert [study["name"] for study in listed] == ["a", "b"]
    assert none == []
    assert shown == json.loads(samples.study("a").model_dump_json())
    assert best == json.loads(samples.best(7, 0.0278).model_dump_json())


def test_a_study_is_shown_before_it_has_a_best_trial(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study()), refused(NoCompleteTrial("none is complete")))

    ran = run("study", "show", "digits")

    assert ran.code == 0
    assert "none yet" in ran.output


def test_a_study_is_shown_with_why_a_trial_failed_and_where_the_others_are(stub: Stub, run: Run) -> None:
    failed = samples.trial(3, state=TrialState.FAIL, outcome=Outcome.ERROR, reason="KeyError: 'conv'\x1b")
    study = samples.study(state=StudyState.COMPLETE, fail=2)
    stub.answers(said(study), refused(NoCompleteTrial("none is complete")), said(samples.page(failed)))

    ran = run("study", "show", "digits")

    (line,) = [line.split(maxsplit=1) for line in ran.output.splitlines() if line.startswith("failed")]
    assert line[1].rstrip() == "trial 3: error: KeyError: 'conv' ; all: trimtab study trials digits --state fail"
    assert stub.asked[2].query["state"] == "fail"


def test_a_study_that_nobody_can_train_is_shown_with_the_command_that_can(stub: Stub, run: Run) -> None:
    study = samples.study()
    stub.answers(said(study), refused(NoCompleteTrial("none")), said(samples.page(samples.worker("other"))))

    ran = run("study", "show", "digits")

    (line,) = [line.split(maxsplit=1) for line in ran.output.splitlines() if line.startswith("waits")]
    assert line[1].rstrip() == "no worker that is alive has the task mlp: python -m workers"


def test_the_best_trial_is_shown(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.best(7, 0.0278)))

    assert "0.0278" in run("study", "best", "digits").output


def test_a_study_is_watched_to_its_end(stub: Stub, run: Run) -> None:
    failed = samples.study(state=StudyState.STOPPED, fail=10).model_copy(update={"reason": "10 trials failed in a row"})
    stub.answers(said(failed), said(failed), refused(NoCompleteTrial("none is complete")), said(samples.page()))

    ran = run("study", "watch", "digits")

    assert ran.code == 0
    assert ran.output.splitlines()[-1] == "10 trials failed in a row"


def test_a_study_all_of_whose_trials_failed_is_watched_to_its_end_and_says_why(stub: Stub, run: Run) -> None:
    ended = samples.study(state=StudyState.COMPLETE, fail=2)
    failed = samples.trial(0, state=TrialState.FAIL, outcome=Outcome.ERROR, reason="KeyError: 'conv'")
    none = refused(NoCompleteTrial("none is complete"))
    stub.answers(said(ended), said(ended), none, said(samples.page(failed)))

    ran = run("study", "watch", "digits")

    last = ran.output.splitlines()[-1]
    assert last == "trial 0: error: KeyError: 'conv'; all: trimtab study trials digits --state fail"


def test_a_study_is_deleted(stub: Stub, run: Run) -> None:
    stub.answers(Answer(204))

    ran = run("study", "delete", "digits")

    assert (ran.code, ran.output) == (0, "study digits is deleted\n")
    assert (stub.asked[0].method, stub.asked[0].path) == ("DELETE", "/v1/studies/digits")


def test_a_token_is_made_and_printed_alone(stub: Stub, run: Run) -> None:
    stub.answers(said(MadeToken(token="ttk_worker_x", **samples.TOKEN.model_dump())))

    ran = run("token", "create", "--kind", "worker", "--name", "gpu pool")

    assert (ran.code, ran.output) == (0, "ttk_worker_x\n")
    assert stub.asked[0].body == {"kind": "worker", "name": "gpu pool"}


def test_tokens_are_listed(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(samples.TOKEN)))

    assert "gpu pool" in run("token", "list").output


def test_a_token_is_revoked(stub: Stub, run: Run) -> None:
    stub.answers(Answer(204))

    ran = run("token", "revoke", "7")

    assert (ran.code, ran.output) == (0, "token 7 is revoked\n")
    assert (stub.asked[0].method, stub.asked[0].path) == ("DELETE", "/v1/tokens/7")


def test_workers_are_listed(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(samples.worker("gpu0@host"))))

    assert "gpu0@host" in run("worker", "list").output


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        (StudyNotFound("there is no study 'digits'"), "there is no study 'digits'"),
        (StudyExists("study 'digits' exists\nwith another spec"), "study 'digits' exists with another spec"),
        (Invalid("not valid", errors=[FieldProblem(field="name", message="is odd")]), "not valid: name is odd"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(stub: Stub, run: Run, refusal: Invalid, line: str) -> None:
    stub.answers(refused(refusal))

    ran = run("study", "best", "digits")

    assert (ran.code, ran.output, ran.errors) == (1, "", f"trimtab: {line}\n")


def test_something_else_that_answers_is_one_line_and_exit_code_2(stub: Stub, run: Run) -> None:
    stub.answers(Answer(404, "<html>\nnot found</html>", {"Content-Type": "text/html"}))

    ran = run("study", "list")

    assert ran.code == 2
    assert ran.errors.startswith(f"trimtab: what answers at {stub.url}/v1/studies")
    assert len(ran.errors.splitlines()) == 1


def test_a_missing_token_is_one_line_and_exit_code_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIMTAB_TOKEN")

    ran = run("study", "list")

    assert ran.code == 2
    assert ran.errors.startswith("trimtab: no token: ")
    assert len(ran.errors.splitlines()) == 1


def test_ctrl_c_leaves_a_watched_study_as_it_is(stub: Stub, environment: dict[str, str]) -> None:
    def answer(asked: Asked) -> Answer:
        match asked.path.rpartition("/")[2]:
            case "best-trial":
                return refused(NoCompleteTrial("none is complete"))
            case "trials":
                return said(samples.page(samples.trial(7)))
            case _:
                return said(samples.study(running=2))

    stub.answering = answer
    with subprocess.Popen(
        [*HEEDING, "study", "watch", "digits"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first_line = process.stdout.readline()

        process.send_signal(signal.SIGINT)

        output, errors_ = process.communicate(timeout=300)

    assert first_line.startswith("digits running: 0/40")
    assert process.returncode == 130
    assert (output, errors_) == ("", "left; the study goes on. Come back: trimtab study watch digits\n")
    assert {asked.method for asked in stub.asked} == {"GET"}


def test_a_reader_that_has_seen_enough_is_no_error(stub: Stub, environment: dict[str, str]) -> None:
    stub.answers(said(samples.page(*[samples.study(f"study-{number}") for number in range(20)])))
    read, write = os.pipe()
    os.close(read)

    ran = subprocess.run(
        [*TRIMTAB, "study", "list"], env=environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )

    os.close(write)
    assert "Traceback" not in ran.stderr
