"""The same numbers from the same seed on a CUDA device too, run after run."""

import os

import torch


def be_deterministic(device: torch.device) -> None:
    """Have a device compute the same bits each time from now on. A CPU does, on as many threads as before.

    An operation that has no such way is computed all the same, with a warning: some users' networks need one.

    Source: PyTorch, "Reproducibility"; NVIDIA, cuBLAS, "Results reproducibility" (the setting of its workspace).
    """
    if device.type != "cuda":
        return
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # Memory that is read before it is written would be a bug; to fill it costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch hides it
    torch.use_deterministic_algorithms(True, warn_only=True)
