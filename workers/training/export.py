"""A trained network as a file that `trimtab.load_model` reads, and, where it can be written so, other programs."""

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from trimtab.models import archive
from trimtab.models.card import Card
from workers.training.checkpoints import Written

_TALKERS = ("torch.onnx", "onnxscript", "onnx_ir")

_log = logging.getLogger(__name__)


def export(network: nn.Module, card: Card, path: Path) -> Written:
    """Write a model to a file. The network is on the CPU and in evaluation mode from then on.

    Raises:
        OSError: There is no room, or no such folder.
    """
    network.cpu().eval()
    archive.write(path, card, weights_of(network), onnx=onnx(network, card.inputs))
    with path.open("rb") as file:
        return Written(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def weights_of(network: nn.Module) -> bytes:
    """Return all that is fitted, by the names of the network, as safetensors; what is shared under each of its names.

    Raises:
        TypeError: The network has a state that is no tensor.
    """
    state = network.state_dict()
    for name, tensor in state.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"the model cannot be written: {name} is a {type(tensor).__name__}, and not a tensor")
    # The format knows no shared memory.
    return safetensors.torch.save(
        {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    )


def onnx(network: nn.Module, inputs: tuple[int, ...]) -> bytes | None:
    """Return a network from `inputs` to `outputs` as ONNX, for any number of examples; None: it cannot be written so.

    Args:
        network: On the CPU, in evaluation mode.
        inputs: Shape of what it takes in of an example.
    """
    try:
        with _quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _exported(network, inputs)
    except Exception as error:  # noqa: BLE001  # a user's network may do what ONNX has no word for
        _log.warning("the model is not written as ONNX: %(error)s", {"error": str(error).partition("\n")[0]})
        return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Let exporters say nothing of each pass that they make."""
    loggers = [logging.getLogger(name) for name in _TALKERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _exported(network: nn.Module, inputs: tuple[int, ...]) -> bytes:
    program = torch.onnx.export(
        network,
        (torch.zeros(2, *inputs),),
        dynamo=True,
        input_names=["inputs"],
        output_names=["outputs"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        verbose=False,
    )
    assert program is not None, "dynamo was asked for"
    proto = program.model_proto
    # Where the exporter was when it wrote a node says something of this machine alone.
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    content: bytes = proto.SerializeToString(deterministic=True)
    return content
