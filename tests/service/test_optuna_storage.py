"""Optuna's storage over PostgreSQL: all that Optuna asks of one, and what its own gets wrong."""

import pytest
import sqlalchemy as sa
from optuna.testing.pytest_storages import StorageTestCase

from service.storage.optuna_storage import OptunaStorage


@pytest.fixture
def storage(engine: sa.Engine) -> OptunaStorage:
    return OptunaStorage(engine)


class TestOptunasOwnSuite(StorageTestCase):
    """Optuna's conformance tests."""
