"""Whether the process of a slot can be trusted with another training after one that has ended.

An error is no reason for a new process as such, which takes seconds to start: what code leaves behind in its modules it
leaves after a success too. Two things are another matter. After a fault of a CUDA device each later call of the process
fails. And code that changes what torch goes by, and does not change it back, changes each later figure, those of other
studies too.
"""

from dataclasses import dataclass
from typing import Any, Self

import torch


@dataclass(frozen=True)
class Soundness:
    """What a process is like before a training.

    Args:
        device: That it trains on.
        settings: That torch goes by in the whole process, as far as figures depend on them.
    """

    device: torch.device
    settings: tuple[Any, ...]

    @classmethod
    def of(cls, device: torch.device) -> Self:
        """Return what this process is like now."""
        return cls(device, _settings())

    @property
    def has_same_settings(self) -> bool:
        """Whether torch goes by the same in this process now."""
        return self.settings == _settings()

    @property
    def is_kept(self) -> bool:
        """Whether this process is still so, and its device computes."""
        return self.has_same_settings and _works(self.device)


def _settings() -> tuple[Any, ...]:
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_anomaly_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_autocast_enabled("cuda"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.enabled,
        torch.backends.mkldnn.enabled,
    )


def _works(device: torch.device) -> bool:
    """Return whether a device computes. One that does not has said so at some kernel before, or says it here."""
    if device.type != "cuda":
        return True
    try:
        torch.ones(1, device=device).add_(1).item()
    except RuntimeError:
        return False
    return True
