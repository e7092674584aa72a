"""`trimtab study create`: from a name and what differs from the defaults, or from a file."""

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from trimtab import rendering
from trimtab.cli.arguments import Json, complete_dataset
from trimtab.cli.asking import verbs
from trimtab.cli.printing import show
from trimtab.client import Client
from trimtab.protocol import Study
from trimtab.spec import StudySpec
from trimtab.spec_files import spec_of
from trimtab.tasks import TASKS
from trimtab.validation import built
from trimtab.waiting import missing_worker

app = verbs()


def _tasks(incomplete: str) -> list[str]:
    return [name for name in TASKS if name.startswith(incomplete)]


@app.command()
def create(
    name: Annotated[str | None, typer.Argument(help="What to call the study.")] = None,
    task: Annotated[
        str | None, typer.Option(help="What to train; mlp where nothing is said.", autocompletion=_tasks)
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            "--data", "--dataset", help="On what; digits where nothing is said.", autocompletion=complete_dataset
        ),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="How many trials; 100 where nothing is said.")] = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="The whole spec, JSON or YAML, instead of all others; - for standard input.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Create a study: NAME and what differs from the defaults, or a spec."""
    if (file is None) == (name is None):
        raise typer.BadParameter("give either NAME or --file")
    if file is None:
        spec = _simple_spec(name, task, dataset, trials)
    elif {task, dataset, trials} == {None}:
        spec = spec_of(file.read())
    else:
        raise typer.BadParameter("--file holds the whole spec: leave the other options out")
    with Client() as client:
        created = client.create_study(spec)
        missing = missing_worker(client, created)
    show(created, where_next, as_json=as_json, soft_wrap=True)
    if missing:
        typer.echo(f"look: {rendering.printable(missing)}", err=True)


def where_next(created: Study) -> RenderableType:
    """Return what was created, and which commands go on from there."""
    warnings = "".join(f"warning: {rendering.printable(text)}\n" for text in created.warnings)
    added = f"; {created.added} taken over" if created.added else ""
    return Text(
        f"study {created.name} is {created.state}: {rendering.budget_line(created.spec.budget)}{added}\n{warnings}"
        f"  trimtab study watch {created.name}    follow it\n"
        f"  trimtab study best {created.name}     the best trial so far"
    )


def _simple_spec(name: str | None, task: str | None, dataset: str | None, trials: int | None) -> StudySpec:
    data = {} if dataset is None else {"data": {"dataset": dataset}}
    budget = {} if trials is None else {"budget": {"trials": trials}}
    return built(StudySpec, {"name": name, "task": {"name": task or "mlp", **data}, **budget})
