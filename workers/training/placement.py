"""Where examples lie: on the device, unless it has too little memory for them."""

import torch

_SHARE = 2
"""Half of the free memory: the other half is for weights, activations and the optimiser."""


def fits(device: torch.device, size: int, resident_bytes: int | None) -> bool:
    """Return whether examples of so many bytes may lie on the device.

    Args:
        device: Where batches of them are wanted.
        size: Of all of them, in bytes.
        resident_bytes: How much of the device's memory they may take; None: half of what is free.
    """
    if resident_bytes is None:
        if device.type != "cuda":
            return True
        torch.cuda.empty_cache()  # What was freed, but kept for the next tensor, is free.
        resident_bytes = torch.cuda.mem_get_info(device)[0] // _SHARE
    return size <= resident_bytes
