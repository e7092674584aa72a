from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a slot: the number of threads is fixed, since sums depend on it in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Whichever tests came before, what is drawn without a generator of its own is the same."""
    torch.manual_seed(0)


@pytest.fixture
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker wait for what is to come, however slow the machine is."""
    for limit in ("delivery.CLOSE", "drain.DRAIN", "process._DROP", "process._GRACE"):
        monkeypatch.setattr(f"workers.{limit}_SECONDS", 120.0)
