"""What the pictures of one trial are drawn from. Decisions on values only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from service.pictures.thinning import rounded, spread
from trimtab.protocol import RecordedReport

MOST_POINTS = 400
"""More than that cannot be told apart on a screen."""

MOST_FIGURES = 8_000
"""Of all metrics together: some 80 KB."""

_TOGETHER = (
    ("Loss", ("validation_loss", "training_loss")),
    ("Norm of the gradient", ("gradient_norm", "first_gradient_norm", "last_gradient_norm")),
    ("Share of dead units", ("dead_units",)),
    ("Scale of the activations", ("first_activation_scale", "last_activation_scale")),
    ("Share of weights that are zero", ("zero_weights",)),
)
"""What is watched of a training: in one picture what is compared."""

_CONSTANT = frozenset({"parameters"})
_VALIDATION = "validation_"
_TWINS = ("training_", "train_dev_")


@dataclass(frozen=True)
class Picture:
    """Some metrics against steps.

    Args:
        title: What is seen.
        metrics: In this order.
    """

    title: str
    metrics: Sequence[str]


@dataclass(frozen=True)
class Curve:
    """Metrics by step.

    Args:
        steps: In order.
        metrics: Each with a value for each step; None: it is not finite, or was not reported.
    """

    steps: Sequence[int]
    metrics: Mapping[str, Sequence[float | None]]

    @property
    def data(self) -> dict[str, object]:
        """The same as JSON."""
        return asdict(self)


def newest_run(reports: Iterable[RecordedReport]) -> list[RecordedReport]:
    """Return the reports of all attempts that lead to the last one: where an attempt goes on from, the curve is cut."""
    run: list[RecordedReport] = []
    for report in sorted(reports, key=lambda each: (each.reported_at, each.step)):
        while run and run[-1].step >= report.step:
            run.pop()
        run.append(report)
    return run


def curve(run: Sequence[RecordedReport], *, only: Iterable[str] | None = None) -> Curve:
    """Return the metrics of a run, in no more points than are seen.

    Args:
        run: Reports by step.
        only: These metrics; None: all.
    """
    names = dict.fromkeys(name for report in run for name in report.metrics)
    wanted = names if only is None else [name for name in only if name in names]
    points = spread(run, min(MOST_POINTS, MOST_FIGURES // max(1, len(wanted))))
    values = {name: rounded(point.metrics.get(name) for point in points) for name in wanted}
    return Curve([point.step for point in points], values)


def main_pictures(objectives: Iterable[str], metrics: Iterable[str]) -> list[Picture]:
    """Return a picture for each objective: of a validation figure with that of the training."""
    there = list(metrics)
    shown = {name: [name, *(twin for twin in _twins(name) if twin in there)] for name in objectives if name in there}
    return [Picture(" and ".join(each.replace("_", " ") for each in names), names) for names in shown.values()]


def other_pictures(metrics: Iterable[str], main: Iterable[Picture]) -> list[Picture]:
    """Return a picture for each other thing that is watched: first those that are known, then the rest one by one."""
    seen = {name for picture in main for name in picture.metrics} | _CONSTANT
    there = [name for name in metrics if name not in seen]
    known = [Picture(title, [name for name in names if name in there]) for title, names in _TOGETHER]
    named = {name for picture in known for name in picture.metrics}
    return [picture for picture in known if picture.metrics] + [
        Picture(name.replace("_", " "), [name]) for name in there if name not in named
    ]


def _twins(name: str) -> list[str]:
    if not name.startswith(_VALIDATION):
        return []
    return [f"{twin}{name.removeprefix(_VALIDATION)}" for twin in _TWINS]
