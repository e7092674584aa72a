"""With how many digits a network is trained."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Forward = Callable[[Tensor], Tensor]


def is_mixed(precision: str, device: torch.device) -> bool:
    """Return whether a precision (auto, float32 or mixed) means bfloat16 where that is enough, on such a device."""
    return precision == "mixed" or (precision == "auto" and device.type == "cuda")


def forward_of(network: nn.Module, precision: str, device: torch.device) -> Forward:
    """Return the network as training calls it: its outputs are float32 in any case, and so is the loss of them.

    With mixed precision, products of matrices and convolutions are computed in bfloat16; weights and their updates stay
    float32. bfloat16 has the exponents of float32, so the loss needs no scale.

    Source: Micikevicius et al., "Mixed Precision Training" (2018); Kalamkar et al., "A Study of BFLOAT16 for Deep
        Learning Training" (2019).
    """
    if not is_mixed(precision, device):
        return network

    def forward(x: Tensor) -> Tensor:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            outputs: Tensor = network(x)
        return outputs.float()

    return forward
