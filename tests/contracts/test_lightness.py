"""What `trimtab` needs to start."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "optuna",
    "numpy",
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
