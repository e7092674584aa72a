"""The parts of any network, a user's own as well, by the names that torch gives them."""

from torch import nn

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


def weight_matrices(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that are trained, without biases and what normalises, in the order of the modules.

    In a built-in network that is from the input to the output.
    """
    return {
        name: parameter
        for name, parameter in network.named_parameters()
        if parameter.ndim > 1 and parameter.requires_grad
    }


def hidden_activations(network: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that are activations; those that a user calls as functions are not to be found."""
    return {name: module for name, module in network.named_modules() if isinstance(module, _ACTIVATIONS)}
