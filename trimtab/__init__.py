"""Trimtab: studies of deep networks, from Python.

    study = trimtab.create_study("digits", task="mlp", trials=40)
    study.wait()
    study.best_trial().params

Each name is loaded when it is first used: `import trimtab` alone takes no time, and needs nothing that is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    __version__: str

    from trimtab.budget import Budget as Budget
    from trimtab.budget import Limits as Limits
    from trimtab.client import Client as Client
    from trimtab.data import DataSpec as DataSpec
    from trimtab.data import SplitSpec as SplitSpec
    from trimtab.diagnosis import DiagnosisSpec as DiagnosisSpec
    from trimtab.errors import BodyTooLarge as BodyTooLarge
    from trimtab.errors import ConfirmationRunning as ConfirmationRunning
    from trimtab.errors import Conflict as Conflict
    from trimtab.errors import DatasetInUse as DatasetInUse
    from trimtab.errors import DatasetNotFound as DatasetNotFound
    from trimtab.errors import FinalNotFound as FinalNotFound
    from trimtab.errors import Forbidden as Forbidden
    from trimtab.errors import Invalid as Invalid
    from trimtab.errors import LeaseEnded as LeaseEnded
    from trimtab.errors import LeaseLost as LeaseLost
    from trimtab.errors import Misconfigured as Misconfigured
    from trimtab.errors import ModelNotFound as ModelNotFound
    from trimtab.errors import NoCompleteTrial as NoCompleteTrial
    from trimtab.errors import NoFeasibleTrial as NoFeasibleTrial
    from trimtab.errors import NotFound as NotFound
    from trimtab.errors import NothingToPrescribe as NothingToPrescribe
    from trimtab.errors import ProtocolMismatch as ProtocolMismatch
    from trimtab.errors import Refused as Refused
    from trimtab.errors import SeveralObjectives as SeveralObjectives
    from trimtab.errors import StepConflict as StepConflict
    from trimtab.errors import StudyDeleted as StudyDeleted
    from trimtab.errors import StudyExists as StudyExists
    from trimtab.errors import StudyNotFound as StudyNotFound
    from trimtab.errors import TestSetRead as TestSetRead
    from trimtab.errors import TooManyRequests as TooManyRequests
    from trimtab.errors import TrialEnded as TrialEnded
    from trimtab.errors import TrialNotFound as TrialNotFound
    from trimtab.errors import TrimtabError as TrimtabError
    from trimtab.errors import Unauthorized as Unauthorized
    from trimtab.errors import Unavailable as Unavailable
    from trimtab.errors import Unreachable as Unreachable
    from trimtab.handle import StudyHandle as StudyHandle
    from trimtab.handle import create_study as create_study
    from trimtab.handle import study as study
    from trimtab.models.loading import Build
    from trimtab.models.model import Model
    from trimtab.objectives import Constraint as Constraint
    from trimtab.objectives import Objective as Objective
    from trimtab.own.loop import trials as trials
    from trimtab.own.optimizing import optimize as optimize
    from trimtab.own.outcomes import Pruned as Pruned
    from trimtab.pruners import HyperbandPruner as HyperbandPruner
    from trimtab.pruners import MedianPruner as MedianPruner
    from trimtab.pruners import NoPruner as NoPruner
    from trimtab.pruners import PatientPruner as PatientPruner
    from trimtab.pruners import PercentilePruner as PercentilePruner
    from trimtab.pruners import SuccessiveHalvingPruner as SuccessiveHalvingPruner
    from trimtab.pruners import ThresholdPruner as ThresholdPruner
    from trimtab.pruners import WilcoxonPruner as WilcoxonPruner
    from trimtab.samplers import AutoSampler as AutoSampler
    from trimtab.samplers import CmaesSampler as CmaesSampler
    from trimtab.samplers import CoarseToFineSampler as CoarseToFineSampler
    from trimtab.samplers import Control as Control
    from trimtab.samplers import GpSampler as GpSampler
    from trimtab.samplers import GridSampler as GridSampler
    from trimtab.samplers import Nsga2Sampler as Nsga2Sampler
    from trimtab.samplers import Nsga3Sampler as Nsga3Sampler
    from trimtab.samplers import QmcSampler as QmcSampler
    from trimtab.samplers import RandomSampler as RandomSampler
    from trimtab.samplers import TpeSampler as TpeSampler
    from trimtab.space import Categorical as Categorical
    from trimtab.space import Float as Float
    from trimtab.space import Int as Int
    from trimtab.space import Scale as Scale
    from trimtab.space import Space as Space
    from trimtab.spec import StudySpec as StudySpec
    from trimtab.spec import TaskSpec as TaskSpec
    from trimtab.states import Direction as Direction
    from trimtab.states import Outcome as Outcome
    from trimtab.states import StudyState as StudyState
    from trimtab.states import TrialState as TrialState
    from trimtab.warm_start import WarmStart as WarmStart
    from trimtab.watching import Progress as Progress

_NAMES = {
    "trimtab.budget": "Budget Limits",
    "trimtab.client": "Client",
    "trimtab.data": "DataSpec SplitSpec",
    "trimtab.diagnosis": "DiagnosisSpec",
    "trimtab.errors": (
        "BodyTooLarge ConfirmationRunning Conflict DatasetInUse DatasetNotFound FinalNotFound Forbidden Invalid "
        "LeaseEnded LeaseLost Misconfigured ModelNotFound NoCompleteTrial NoFeasibleTrial NotFound "
        "NothingToPrescribe ProtocolMismatch Refused SeveralObjectives StepConflict StudyDeleted StudyExists "
        "StudyNotFound TestSetRead TooManyRequests TrialEnded TrialNotFound TrimtabError Unauthorized Unavailable "
        "Unreachable"
    ),
    "trimtab.handle": "StudyHandle create_study study",
    "trimtab.objectives": "Constraint Objective",
    "trimtab.own.loop": "trials",
    "trimtab.own.optimizing": "optimize",
    "trimtab.own.outcomes": "Pruned",
    "trimtab.pruners": (
        "HyperbandPruner MedianPruner NoPruner PatientPruner PercentilePruner SuccessiveHalvingPruner "
        "ThresholdPruner WilcoxonPruner"
    ),
    "trimtab.samplers": (
        "AutoSampler CmaesSampler CoarseToFineSampler Control GpSampler GridSampler Nsga2Sampler Nsga3Sampler "
        "QmcSampler RandomSampler TpeSampler"
    ),
    "trimtab.space": "Categorical Float Int Scale Space",
    "trimtab.spec": "StudySpec TaskSpec",
    "trimtab.states": "Direction Outcome StudyState TrialState",
    "trimtab.warm_start": "WarmStart",
    "trimtab.watching": "Progress",
}
"""What is public, by the module that has it; said once more above, for type checkers. No name is that of a module."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [*_HOMES, "load_model"]  # noqa: PLE0604  # each is a text


if not TYPE_CHECKING:  # A type checker would take any name for one of ours.

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return _version()
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=__name__)
        globals()[name] = found = getattr(import_module(_HOMES[name]), name)
        return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415  # takes a while, and few ask

    return version("trimtab")


def load_model(path: str | Path, build: Build | None = None) -> Model:
    """Return the final model of a study from its file, for inference on the CPU. Needs the extra `models`.

    Args:
        path: Of the file.
        build: What built the network, where that is the user's own: `build(params, data)`.

    Raises:
        ModelUnreadable: It is no file of a model, it needs `build`, or `build` gives another network.
        OSError: It cannot be read.
    """
    from trimtab.models.loading import load  # noqa: PLC0415  # torch takes seconds, and most of trimtab needs none

    return load(path, build)
