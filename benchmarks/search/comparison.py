"""Who is how good at what: median regrets, and who cannot be told from the best."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from scipy.stats import mannwhitneyu

from benchmarks.search.results import Result

SIGNIFICANCE = 0.05
"""A method is within noise of the best if a two-sided Mann-Whitney test of the regrets gives at least this p."""

CHOOSER = "auto"
"""Is no sampler but chooses one: it is held against the best of the others."""

Regrets = Mapping[str, Mapping[str, Sequence[float]]]
"""By problem and method, one of each seed."""


def regrets(results: Iterable[Result]) -> Regrets:
    """Return the regrets by problem and method."""
    found: dict[str, dict[str, list[float]]] = {}
    for result in results:
        found.setdefault(result.run.problem, {}).setdefault(result.run.method, []).append(result.regret)
    return found


def within_noise(by_method: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the methods that cannot be told from the best single sampler, or are better, that one among them."""
    singles = [method for method in by_method if method != CHOOSER] or list(by_method)
    best = min(singles, key=lambda method: median(by_method[method]))
    return [method for method, found in by_method.items() if _is_like(found, by_method[best])]


def _is_like(found: Sequence[float], best: Sequence[float]) -> bool:
    if median(found) <= median(best):
        return True
    return bool(mannwhitneyu(found, best).pvalue >= SIGNIFICANCE)


def table(found: Regrets, *, problems: Iterable[str], methods: Sequence[str]) -> list[str]:
    """Return lines of Markdown: the median regrets, in bold those within noise of the best, and how often each is."""
    lines = [f"| problem | {' | '.join(methods)} |", f"|--|{'--|' * len(methods)}"]
    good = {problem: within_noise(found[problem]) for problem in problems}
    for problem, best in good.items():
        cells = [_cell(found[problem].get(method), is_good=method in best) for method in methods]
        lines.append(f"| {problem} | {' | '.join(cells)} |")
    counts = [str(sum(method in best for best in good.values())) for method in methods]
    return [*lines, f"| within noise of the best | {' | '.join(counts)} |"]


def _cell(found: Sequence[float] | None, *, is_good: bool) -> str:
    if not found:
        return ""
    text = f"{median(found):.2g}"
    return f"**{text}**" if is_good else text
