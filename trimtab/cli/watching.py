"""`trimtab study watch`: a study as it goes on, live in a terminal, line by line in a pipe."""

from collections.abc import Iterator

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live

from trimtab import rendering
from trimtab.cli.arguments import Json, Name
from trimtab.cli.asking import leaving, verbs
from trimtab.cli.failing import failing
from trimtab.cli.following import SHOWN, Watched, watched
from trimtab.cli.printing import console
from trimtab.client import Client
from trimtab.trial_view import running_table

app = verbs()


@app.command()
def watch(name: Name, as_json: Json = False) -> None:
    """Follow a study until it has ended. Ctrl-C leaves it as it is. With --json: a line for each change."""
    with leaving(f"the study goes on. Come back: trimtab study watch {name}"), Client() as client:
        seen = watched(client, name)
        if as_json:
            _echo(seen)
            return
        out = console()
        last = _show_live(seen, out) if out.is_terminal else _show_lines(seen, out)
        ended = last.progress.study
        failed = "" if ended.counts.complete else failing(client, ended)
    for text in filter(None, (ended.reason, failed)):
        typer.echo(rendering.printable(text))


def _echo(seen: Iterator[Watched]) -> None:
    said = ""
    for now in seen:
        line = now.progress.study.model_dump_json()
        if line != said:
            typer.echo(line)
        said = line


def _show_live(seen: Iterator[Watched], out: Console) -> Watched:
    with Live(console=out, auto_refresh=False) as live:
        for now in seen:
            live.update(watched_view(now), refresh=True)
    return now


def _show_lines(seen: Iterator[Watched], out: Console) -> Watched:
    said = ""
    for now in seen:
        line = rendering.progress_line(now.progress.study, now.progress.best, waits=now.waits)
        if line != said:
            out.print(line, soft_wrap=True)
        said = line
    return now


def watched_view(now: Watched) -> RenderableType:
    """Return a bar, the best so far, and a line with its curve for each trial that runs."""
    study, running = now.progress.study, now.progress.running
    parts: list[RenderableType] = [rendering.progress_view(study, now.progress.best, waits=now.waits)]
    if running:
        parts += ["", running_table(running[:SHOWN], now.curves, study.spec.objectives[0].metric)]
    if len(running) > SHOWN:
        parts.append(f"… {len(running) - SHOWN} more")
    return Group(*parts)
