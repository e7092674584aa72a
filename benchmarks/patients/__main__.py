"""Shows every planted patient to the doctor, for each seed, and counts what it named first.

make bench-patients            or python -m benchmarks.patients --seeds 1 2 --only spirals
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.patients.clinic import diagnosis
from benchmarks.patients.planted import DATA
from benchmarks.patients.wards import PATIENTS, STARTUP, TRIALS, Patient
from trimtab.diagnosis import Diagnosis
from trimtab.spec import StudySpec

SEEDS = (1, 2)
"""Those that count. Thresholds were looked at on seeds from 101."""


@dataclass(frozen=True)
class Visit:
    """What came of showing a patient to the doctor once."""

    patient: Patient
    seed: int
    found: Diagnosis
    seconds: float

    @property
    def named(self) -> str | None:
        """What was named first."""
        return self.found.findings[0].code if self.found.findings else None

    @property
    def is_right(self) -> bool:
        """Whether that was what is planted."""
        return self.named == self.patient.expected


def study(patient: Patient, *, seed: int, folder: Path) -> tuple[StudySpec, dict[str, Path]]:
    """Return the study of a patient, and the files of its data sets, which are written to `folder`."""
    named = [
        patient.data[field] for field in ("dataset", "validation_dataset", "test_dataset") if field in patient.data
    ]
    contents = {name: DATA[name](folder, seed) for name in named if name in DATA}
    split = {**patient.data.get("split", {}), "seed": seed}
    spec = StudySpec.model_validate(
        {
            "name": "patient",
            "task": {
                "name": patient.task,
                "data": {**patient.data, "contents": contents, "split": split},
                "fixed": patient.fixed,
            },
            "space": patient.space,
            "sampler": {"name": "tpe", "seed": seed, "startup_trials": STARTUP},
            "diagnosis": {"target_error": patient.target_error},
        }
    ).resolved()
    return spec, {name: folder / f"{name}.npz" for name in contents}


def visit(patient: Patient, *, seed: int, trials: int = TRIALS) -> Visit:
    """Show a patient to the doctor."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trimtab-patients-") as folder:
        spec, files = study(patient, seed=seed, folder=Path(folder))
        found = diagnosis(spec, trials=trials, files=files)
    return Visit(patient, seed, found, time.monotonic() - begun)


def main() -> None:
    """Show all, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--only", default="", help="patients with this in their name")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    visits = list(_visits(arguments.seeds, arguments.only))
    right = sum(one.is_right for one in visits)
    print(f"{right} of {len(visits)} right, {sum(one.seconds for one in visits):.0f} s")


def _visits(seeds: Sequence[int], only: str) -> Iterator[Visit]:
    for patient in PATIENTS:
        for seed in seeds:
            if only in patient.name:
                one = visit(patient, seed=seed)
                _print(one)
                yield one


def _print(one: Visit) -> None:
    findings = ", ".join(finding.code for finding in one.found.findings) or "nothing"
    figures = one.found.figures
    errors = f"{figures.training_error:.3f} {figures.validation_error:.3f}" if figures else "- -"
    mark = "right" if one.is_right else "WRONG"
    expected = one.patient.expected or "nothing"
    print(
        f"{mark} {one.patient.name:38} {one.seed:4} {expected:24} {errors}  {one.seconds:4.0f} s  {findings}",
        flush=True,
    )


if __name__ == "__main__":
    main()
