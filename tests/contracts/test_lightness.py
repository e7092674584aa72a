"""What `trimtab` needs to start."""

import subprocess
import sys

import pytest

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


def test_help_imports_neither_what_asks_nor_what_shows() -> None:
    start = "import sys; sys.argv = ['trimtab', '--help']; from trimtab.cli import main"
    program = f"{start}\ntry: main()\nfinally: print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    *help_, modules = ran.stdout.splitlines()
    assert "Commands:" in help_
    assert not {name.partition(".")[0] for name in modules.split()} & {*HEAVY, "httpx2", "pydantic", "rich", "yaml"}
    # A bare Python has about 30; each further one is a file to find and to read.
    assert len(modules.split()) < 200
