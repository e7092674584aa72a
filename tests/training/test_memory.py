"""The memory of a slot's device: asked of CUDA, and of nothing else."""

import pytest
import torch

from trimtab.protocol import DeviceMemory
from workers import memory


def test_the_processor_has_no_memory_of_its_own() -> None:
    assert memory.of(torch.device("cpu")) is None


def test_what_is_not_free_of_a_cuda_device_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (30, 80) if device.index == 1 else None)

    assert memory.of(torch.device("cuda:1")) == DeviceMemory(used=50, total=80)


def test_a_device_after_a_fault_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: torch.device) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)

    assert memory.of(torch.device("cuda:0")) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_what_a_tensor_takes_is_seen() -> None:
    device = torch.device("cuda:0")
    before = memory.of(device)

    taken = torch.empty(2**28, dtype=torch.uint8, device=device)

    after = memory.of(device)
    assert before
    assert after
    assert after.used - before.used >= taken.nbytes // 2
    assert after.total == before.total
