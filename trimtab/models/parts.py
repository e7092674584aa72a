"""The parts of any network, a user's own as well, by the names that torch gives them."""

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

_ACTIVATIONS = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Tanh,
    nn.Sigmoid,
    nn.Softplus,
)


_NORMALISATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


def weight_matrices(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that are trained, without biases and what normalises, in the order of the modules.

    In a built-in network that is from the input to the output. Of any other whatever has two dimensions or more, which
    embeddings have too, and neither is a bias by its name nor belongs to a module of torch that normalises.
    """
    normalising = {id(parameter) for module in _normalisations(network) for parameter in module.parameters()}
    return {
        name: parameter
        for name, parameter in network.named_parameters()
        if parameter.ndim > 1 and parameter.requires_grad and id(parameter) not in normalising and not _is_bias(name)
    }


def hidden_activations(network: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that are activations; those that a user calls as functions are not to be found."""
    return {name: module for name, module in network.named_modules() if isinstance(module, _ACTIVATIONS)}


def _normalisations(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, _NORMALISATIONS)]


def _is_bias(name: str) -> bool:
    """Return whether it is called one: `bias`, or as torch's own attention has them `bias_k`, `in_proj_bias`."""
    return "bias" in name.rpartition(".")[2].split("_")
