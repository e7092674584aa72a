"""How much memory the device of a slot has, and how much of it is taken."""

import torch

from trimtab.protocol import DeviceMemory


def of(device: torch.device) -> DeviceMemory | None:
    """Return the memory of a device, whoever uses it; None: it has none of its own, or does not say.

    That of the machine is not a device's: how much of it a process may take, nobody knows but who started it.
    """
    if device.type != "cuda":
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError:
        # After a fault nothing can be asked of a device; that the trial has ended is still to be said.
        return None
    return DeviceMemory(used=total - free, total=total)
