"""Which device a slot trains on."""

import re

from trimtab.errors import Misconfigured

_CUDA = re.compile(r"cuda:([0-9]{1,3})")


def checked(device: str) -> str:
    """Return `device` if it is the name of one: auto, cpu, or cuda: and a number.

    Raises:
        Misconfigured: It is not.
    """
    if device not in {"auto", "cpu"} and not _CUDA.fullmatch(device):
        raise Misconfigured(f"--device is auto, cpu, or cuda:0 and so on: {device!r}")
    return device


def device_of(wanted: str, *, slot: int, cuda_devices: int) -> str:
    """Return the device of a slot. `auto` spreads the slots over the CUDA devices, where there are any.

    Args:
        wanted: What `checked` lets through.
        slot: Which slot, counted from 0.
        cuda_devices: How many CUDA devices there are.

    Raises:
        Misconfigured: There is no such device here.
    """
    if wanted == "auto":
        return f"cuda:{slot % cuda_devices}" if cuda_devices else "cpu"
    named = _CUDA.fullmatch(wanted)
    if named and cuda_devices == 0:
        raise Misconfigured(
            f"--device {wanted} is not here: PyTorch sees no CUDA device. Does nvidia-smi show one, is this a build of "
            "PyTorch with CUDA (torch.version.cuda), does CUDA_VISIBLE_DEVICES hide it? --device cpu trains without"
        )
    if named and int(named[1]) >= cuda_devices:
        raise Misconfigured(f"--device {wanted} is not here: there are {cuda_devices} CUDA devices; try --device auto")
    return wanted
