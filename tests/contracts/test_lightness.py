"""What `trimtab`, the service and its workers need to start."""

import subprocess
import sys

import pytest
from typer.main import get_command

from trimtab.cli import studies

HEAVY = {
    "torch",
    "optuna",
    "numpy",
    "pandas",
    "polars",
    "IPython",
    "safetensors",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "psycopg2",
    "fastapi",
    "service",
    "workers",
}


@pytest.mark.parametrize("module", ["trimtab", "trimtab.cli", "trimtab.watching"])
def test_the_command_line_imports_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    imported = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "trimtab" in imported
    assert not imported & HEAVY


def test_the_package_alone_imports_nothing_but_the_standard_library() -> None:
    program = "import sys; before = set(sys.modules); import trimtab; print(*set(sys.modules) - before)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    imported = set(ran.stdout.split())
    assert {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names} == {"trimtab"}


# A bare Python has about 30 modules; each further one is a file to find and to read. Typer itself needs pydantic for
# whatever follows the first word.
@pytest.mark.parametrize(("typed", "most", "allowed"), [([], 200, set()), (["study"], 300, {"pydantic"})])
def test_help_imports_neither_what_asks_nor_what_shows(typed: list[str], most: int, allowed: set[str]) -> None:
    start = f"import sys; sys.argv = {['trimtab', *typed, '--help']}; from trimtab.cli import main"
    program = f"{start}\ntry: main()\nfinally: print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    *help_, modules = ran.stdout.splitlines()
    unwanted = {*HEAVY, "httpx2", "pydantic", "rich", "yaml"} - allowed
    assert "Commands:" in help_
    assert not {name.partition(".")[0] for name in modules.split()} & unwanted
    assert len(modules.split()) < most


def test_the_service_starts_without_what_few_of_its_studies_need() -> None:
    program = "import sys, service.app; print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    seldom = {"cmaes", "pandas", "plotly", "scipy.stats", "sklearn", "torch"}
    assert not set(ran.stdout.split()) & seldom


def test_a_child_that_trains_starts_without_what_few_of_its_trials_need() -> None:
    program = "import sys, workers.child; print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    seldom = {"onnx", "pandas", "scipy", "sklearn"}
    assert not set(ran.stdout.split()) & seldom


def test_what_is_imported_later_is_told_of_in_its_own_words() -> None:
    group = get_command(studies.app)

    for verb in group.commands.values():  # type: ignore[attr-defined]  # it is a group
        assert verb.get_short_help_str(1000) == verb.found().get_short_help_str(1000)
