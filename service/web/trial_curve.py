"""What the pictures of one trial are drawn from. Decisions on values only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from service.pictures.runs import Run
from service.pictures.thinning import rounded, spread
from trimtab.protocol import RecordedReport

MOST_FIGURES = 8_000
"""Of all metrics together: some 80 KB."""

MOST_ROWS = 60
"""Of the table of reports."""

_TOGETHER = (
    ("Loss", ("validation_loss", "training_loss")),
    ("Norm of the gradient", ("gradient_norm", "first_gradient_norm", "last_gradient_norm")),
    ("Smallest and largest gradient of a layer", ("smallest_gradient_norm", "largest_gradient_norm")),
    ("Layers with these gradients", ("smallest_gradient_layer", "largest_gradient_layer")),
    ("Share of dead units", ("dead_units",)),
    ("Scale of the activations", ("first_activation_scale", "last_activation_scale")),
    ("Smallest and largest activations of a layer", ("smallest_activation_scale", "largest_activation_scale")),
    ("Layers with these activations", ("smallest_activation_layer", "largest_activation_layer")),
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


def thinned(run: Run, most: int) -> list[RecordedReport]:
    """Return at most so many reports of a run, evenly, with the first and the last; and the best one."""
    chosen = {report.step: report for report in spread(run.reports, most)}
    chosen |= {report.step: report for report in run.reports if report.step == run.best_step}
    return [chosen[step] for step in sorted(chosen)]


def metrics_of(run: Run) -> list[str]:
    """Return what was reported in a run, in the order in which it came first."""
    return list(dict.fromkeys(name for report in run.reports for name in report.metrics))


def curve(run: Run, *, only: Iterable[str] | None = None) -> Curve:
    """Return the metrics of a run, in no more points than are seen.

    Args:
        run: Of a trial.
        only: These metrics; None: all.
    """
    names = metrics_of(run)
    wanted = names if only is None else [name for name in only if name in names]
    points = thinned(run, MOST_FIGURES // max(1, len(wanted)))
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
