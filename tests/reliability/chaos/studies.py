"""The studies of a chaos run: small ones, most of them of the random sampler, half of them with a pruner."""

from tests.reliability.chaos.worker import METRIC
from trimtab.spec import StudySpec

_TPE_EVERY = 4
_NEVER = 1_000_000


def spec(position: int, *, trials: int) -> StudySpec:
    """Return the spec of the study at a position."""
    sampler = {"name": "tpe" if position % _TPE_EVERY == 0 else "random", "seed": position}
    pruner = {"name": "median", "startup_trials": 5, "warmup_steps": 1} if position % 2 else {"name": "none"}
    return StudySpec.model_validate(
        {
            "name": f"chaos-{position}",
            "task": None,
            "space": {
                "rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
                "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
                "units": {"type": "int", "low": 1, "high": 256, "scale": "log"},
                "optimizer": {"type": "categorical", "choices": ["adam", "momentum"]},
            },
            "objectives": ({"metric": METRIC},),
            "sampler": sampler,
            "pruner": pruner,
            "budget": {"trials": trials},
            "failed_in_a_row": _NEVER,
        }
    )


def budgets(trials: int, each: int) -> list[int]:
    """Return the budgets of studies that have so many trials together, `each` at most."""
    return [each] * (trials // each) + ([trials % each] if trials % each else [])
