"""The arrows of the architecture hold, and a tool notices where they do not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("trimtab", "service", "workers", "migrations")
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

PACKAGES_CONTRACT = "migrations over service, service and workers side by side over trimtab"
LIGHT = "trimtab is light: no server, no database, no sampler, no arrays but in its models"
MODELS = "only what trains, and who loads a model, import the models"
NO_DATABASE = "workers hold no database, no sampler and no server"
NO_TORCH = "service never imports torch"
ONLY_OPTUNA = "only storage, sampling, pruning, importances, figures and the first migration import Optuna"
ONLY_FASTAPI = "only the application and its routes import FastAPI"
INSIDE_SERVICE = "inside service: application, routes, use cases, decisions, storage"
INSIDE_WORKERS = "inside workers: worker, slots, leases, children, tasks, training"
TRAINING = "what trains knows nothing of the service"
MIGRATIONS = "migrations do not know workers"

FORBIDDEN = [
    ("trimtab/client/calls.py", "service.settings", PACKAGES_CONTRACT),
    ("trimtab/client/calls.py", "workers.settings", PACKAGES_CONTRACT),
    ("service/studies.py", "workers.settings", PACKAGES_CONTRACT),
    ("service/studies.py", "migrations.env", PACKAGES_CONTRACT),
    ("workers/pool.py", "service.settings", PACKAGES_CONTRACT),
    ("workers/pool.py", "migrations.env", PACKAGES_CONTRACT),
    ("migrations/env.py", "workers.settings", MIGRATIONS),
    ("trimtab/states.py", "optuna", LIGHT),
    ("trimtab/states.py", "torch", LIGHT),
    ("trimtab/states.py", "sqlalchemy", LIGHT),
    ("trimtab/states.py", "numpy", LIGHT),
    ("trimtab/states.py", "trimtab.models.networks", MODELS),
    ("trimtab/models/networks.py", "sklearn", LIGHT),
    ("workers/pool.py", "optuna", NO_DATABASE),
    ("workers/pool.py", "sqlalchemy", NO_DATABASE),
    ("service/sampling/tpe.py", "torch", NO_TORCH),
    ("service/memory.py", "optuna", ONLY_OPTUNA),
    ("service/asks.py", "optuna", ONLY_OPTUNA),
    ("service/studies.py", "fastapi", ONLY_FASTAPI),
    ("service/studies.py", "starlette", ONLY_FASTAPI),
    ("service/api/studies.py", "service.app", INSIDE_SERVICE),
    ("service/studies.py", "service.api.problems", INSIDE_SERVICE),
    ("service/studies.py", "service.leases", INSIDE_SERVICE),
    ("service/pruning.py", "service.studies", INSIDE_SERVICE),
    ("service/storage/studies.py", "service.lifecycle", INSIDE_SERVICE),
    ("service/tables.py", "service.storage.studies", INSIDE_SERVICE),
    ("service/settings.py", "service.database", INSIDE_SERVICE),
    ("workers/pool.py", "workers.__main__", INSIDE_WORKERS),
    ("workers/session.py", "workers.pool", INSIDE_WORKERS),
    ("workers/tasks/mlp.py", "workers.session", INSIDE_WORKERS),
    ("workers/training/loop.py", "workers.tasks", INSIDE_WORKERS),
    ("workers/training/loop.py", "trimtab.client", TRAINING),
    ("workers/tasks/mlp.py", "trimtab.client", TRAINING),
    ("workers/training/loop.py", "httpx2", TRAINING),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their contracts, where something may be planted."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=folder, env={"COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def test_every_arrow_holds(copy: Path) -> None:
    checked = lint(copy)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("path", "imported", "contract"), FORBIDDEN)
def test_an_import_against_an_arrow_breaks_its_contract(copy: Path, path: str, imported: str, contract: str) -> None:
    with (copy / path).open("a") as module:
        module.write(f"\nimport {imported}\n")

    checked = lint(copy)

    assert checked.returncode == 1
    assert f"{contract} BROKEN" in " ".join(checked.stdout.split())


def test_a_module_of_the_service_without_a_layer_is_noticed(copy: Path) -> None:
    (copy / "service" / "stray.py").touch()

    checked = lint(copy)

    assert checked.returncode == 1
    assert "stray" in checked.stdout
