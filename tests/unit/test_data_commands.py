"""`trimtab data`: what it sends and what it prints."""

from datetime import UTC, datetime
from pathlib import Path

from tests.unit.commands import Run
from tests.unit.stub import Answer, Stub, refused, said
from trimtab.data import Problem
from trimtab.datasets import ClassCount, ColumnKind, Dataset, DatasetColumn, built_in
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem, Page

FLOWERS = Dataset(
    name="flowers",
    version=2,
    sha256="a" * 64,
    size=1234,
    problem=Problem.CLASSIFICATION,
    target="kind",
    examples=150,
    columns=[
        DatasetColumn(name="length", kind=ColumnKind.NUMBER),
        DatasetColumn(name="field", kind=ColumnKind.CATEGORY, categories=3, missing=7),
    ],
    classes=[ClassCount(label="rose", examples=149), ClassCount(label="lily", examples=1)],
    warnings=["class 'lily' has one example"],
    created_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
)


def test_a_file_is_put_under_its_own_name_and_shown(stub: Stub, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text("length,field,kind\n1,a,rose\n")
    stub.answers(said(FLOWERS, status=201))

    ran = run("data", "put", str(path), "--target", "kind", "--kind", "classification")

    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("PUT", "/v1/datasets/flowers")
    assert asked.query == {"target": "kind", "kind": "classification"}
    assert (asked.headers["Content-Type"], asked.text) == ("text/csv", path.read_text())
    assert asked.headers["Idempotency-Key"]
    assert ran.output.splitlines()[0] == "flowers, version 2: classification, 150 examples, 2 columns"
    assert "warning: class 'lily' has one example" in ran.output
    assert [line.split() for line in ran.output.splitlines()[-3:]] == [
        ["CLASS", "EXAMPLES"],
        ["rose", "149"],
        ["lily", "1"],
    ]


def test_a_target_that_is_needed_is_called_as_it_is_typed(stub: Stub, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text("length,kind\n1,rose\n")
    problem = FieldProblem(field="target", message="is needed: which column is to be learned? there are length, kind")
    stub.answers(refused(Invalid("no data set", errors=[problem])))

    ran = run("data", "put", str(path))

    assert ran.code == 1
    assert ran.errors == f"trimtab: no data set: --target COLUMN {problem.message}\n"


def test_what_is_wrong_with_a_file_is_said_with_its_place(stub: Stub, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text("a,b\n")
    problem = FieldProblem(field="row 17, column age", message="is infinite")
    stub.answers(refused(Invalid("the file is no data set that can be trained on", errors=[problem])))

    ran = run("data", "put", str(path), "--name", "ours")

    assert ran.code == 1
    assert "row 17, column age is infinite" in ran.errors


def test_data_sets_are_listed(stub: Stub, run: Run) -> None:
    ready = built_in("digits")
    assert ready
    stub.answers(said(Page[Dataset](items=[ready, FLOWERS])))

    ran = run("data", "list")

    assert [line.split() for line in ran.output.splitlines()[1:]] == [
        ["digits", "built", "in", "classification", "1797", "images", "of", "1", "x", "8", "x", "8", "10"],
        ["flowers", "2", "classification", "150", "2", "columns", "2", "2026-01-02", "03:04"],
    ]


def test_a_data_set_is_shown(stub: Stub, run: Run) -> None:
    stub.answers(said(FLOWERS))

    ran = run("data", "show", "flowers")

    assert [line.split() for line in ran.output.splitlines()[4:7]] == [
        ["COLUMN", "HOLDS", "MISSING"],
        ["length", "number"],
        ["field", "3", "categories", "7"],
    ]


def test_a_data_set_is_deleted(stub: Stub, run: Run) -> None:
    stub.answers(Answer(204))

    ran = run("data", "delete", "flowers")

    assert [(asked.method, asked.path) for asked in stub.asked] == [("DELETE", "/v1/datasets/flowers")]
    assert ran.output == "data set flowers is deleted\n"
