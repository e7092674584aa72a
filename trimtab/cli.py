"""`trimtab`: studies and workers from the command line."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from trimtab import rendering
from trimtab.check_view import check_view
from trimtab.client import Client
from trimtab.dataset_view import dataset_view, datasets_table
from trimtab.datasets import TargetKind
from trimtab.diagnosis_view import diagnosis_view
from trimtab.errors import FinalNotFound, NoCompleteTrial, NoFeasibleTrial, Refused, SeveralObjectives, TrimtabError
from trimtab.final_view import confirmation_view, final_view
from trimtab.finals import Confirm, FinalState
from trimtab.protocol import BestTrial, Study
from trimtab.spec import StudySpec
from trimtab.states import TokenKind
from trimtab.validation import built, from_json
from trimtab.watching import follow, wait_for_final
from trimtab.watching import watch as watch_study

LISTED = 20

_WIDE = 1000
"""Columns of a pipe: whoever reads it wants whole lines."""

app = typer.Typer(
    help="Tune deep networks: studies and workers of a Trimtab service.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
study = typer.Typer(help="Create, follow and read studies.", no_args_is_help=True)
data = typer.Typer(help="Put data sets, and see which there are.", no_args_is_help=True)
worker = typer.Typer(help="See who trains.", no_args_is_help=True)
token = typer.Typer(help="Say who may call, and to do what.", no_args_is_help=True)
app.add_typer(study, name="study")
app.add_typer(data, name="data")
app.add_typer(worker, name="worker")
app.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(help="The study.")]
DatasetName = Annotated[str, typer.Argument(help="The data set.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """Run the command line. Exit codes: 1 the service said no; 2 it cannot be asked."""
    try:
        app()
    except Refused as error:
        _fail(error, code=1)
    except TrimtabError as error:
        _fail(error, code=2)


@study.command()
def create(
    name: Annotated[str | None, typer.Argument(help="What to call the study.")] = None,
    task: Annotated[str | None, typer.Option(help="What to train; mlp where nothing is said.")] = None,
    dataset: Annotated[str | None, typer.Option(help="On what; digits where nothing is said.")] = None,
    trials: Annotated[int | None, typer.Option(help="How many trials; 100 where nothing is said.")] = None,
    file: Annotated[
        typer.FileBinaryRead | None,
        typer.Option("--file", "-f", help="The whole spec as JSON, instead of all others; - for standard input."),
    ] = None,
) -> None:
    """Create a study: NAME and what differs from the defaults, or a spec."""
    if (file is None) == (name is None):
        raise typer.BadParameter("give either NAME or --file")
    if file is None:
        spec = _simple_spec(name, task, dataset, trials)
    elif {task, dataset, trials} == {None}:
        spec = from_json(StudySpec, file.read())
    else:
        raise typer.BadParameter("--file holds the whole spec: leave the other options out")
    with Client() as client:
        created = client.create_study(spec)
    _console().print(_where_next(created), soft_wrap=True)


@study.command("list")
def list_studies(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = LISTED,
    as_json: Json = False,
) -> None:
    """List the studies, the newest first."""
    with Client() as client:
        studies = list(client.studies(limit))
    if as_json:
        typer.echo("[" + ",\n ".join(found.model_dump_json() for found in studies) + "]")
    else:
        _console().print(rendering.studies_table(studies))


@study.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show a study: how far it is, its spec, its best trial."""
    with Client() as client:
        found = client.study(name)
        best = None if as_json else _best(client, name)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(rendering.study_view(found, best))


@study.command()
def watch(name: Name) -> None:
    """Follow a study until it has ended. Ctrl-C leaves it as it is."""
    try:
        with Client() as client:
            ended = watch_study(client, name, _console())
    except KeyboardInterrupt:
        typer.echo(f"left; the study goes on. Come back: trimtab study watch {name}", err=True)
        raise typer.Exit(130) from None
    if ended.study.reason:
        typer.echo(rendering.printable(ended.study.reason))


@study.command()
def best(name: Name, as_json: Json = False) -> None:
    """Show the best trial so far; with several objectives, those that no other beats in every one."""
    with Client() as client:
        try:
            found = [client.best_trial(name)]
        except SeveralObjectives:
            found = client.best_trials(name)
    if as_json:
        typer.echo("\n".join(trial.model_dump_json(indent=2) for trial in found))
    else:
        _console().print(rendering.best_view(found[0]) if len(found) == 1 else rendering.front_table(found))


@study.command()
def check(name: Name, as_json: Json = False) -> None:
    """Have the gradients of a study's task checked by a worker; wait, and say what came of it.

    Exit codes: 0 nothing to mend; 1 a tensor is suspicious or wrong, or there are no figures.
    """
    with Client() as client:
        asked = client.check_gradients(name)
        for _ in follow(client, asked.study):
            pass
        found = next(check for check in client.checks(name) if check.study == asked.study)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(check_view(found), soft_wrap=True)
    raise typer.Exit(0 if found.rating and found.rating.is_passed else 1)


@study.command()
def diagnose(
    name: Name,
    trial: Annotated[int | None, typer.Option(min=0, help="One trial, not the best with all others.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the doctor what ails a study, and which edits to its spec would help."""
    with Client() as client:
        found = client.diagnosis(name, trial)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(diagnosis_view(found))


@study.command()
def prescribe(
    name: Name,
    called: Annotated[str | None, typer.Option("--name", help="Of the new study; else the next number.")] = None,
    edit: Annotated[list[str] | None, typer.Option(help="The path of one that is wanted; else all.")] = None,
) -> None:
    """Create the next study: this one with the doctor's edits."""
    with Client() as client:
        created = client.prescribe(name, called=called, edits=edit)
    _console().print(_where_next(created), soft_wrap=True)


@study.command()
def confirm(
    name: Name,
    top: Annotated[int, typer.Option(help="How many of the best trials.")] = 3,
    repeats: Annotated[int, typer.Option(help="Trainings of each.")] = 5,
    as_json: Json = False,
) -> None:
    """Have the best trials of a study trained again, with fresh seeds; wait, and say which one is best."""
    with Client() as client:
        asked = client.confirm(name, top=top, repeats=repeats)
        for _ in follow(client, asked.study):
            pass
        found = client.confirmation(name)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(confirmation_view(found))


@study.command()
def final(
    name: Name,
    repeats: Annotated[
        int | None, typer.Option(help="Confirm the best trials first, by so many trainings of each.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many of them.")] = 3,
    override: Annotated[str | None, typer.Option(help="Why the test set is to be read again; recorded.")] = None,
    download: Annotated[Path | None, typer.Option(help="Where to write the model, for trimtab.load_model.")] = None,
    as_json: Json = False,
) -> None:
    """Have the final model of a study trained and its test set read, once; wait for it. Where there is one: show it.

    Exit codes: 0 it is complete; 1 it failed, or a newer one that was asked for did.
    """
    with Client() as client:
        if override is not None or not _has_final(client, name):
            before = None if repeats is None else built(Confirm, {"top": top, "repeats": repeats})
            client.make_final(name, confirm=before, override=override)
        found = wait_for_final(client, name)
        if download and found.model:
            client.fetch_model(name, download)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(final_view(found), soft_wrap=True)
    raise typer.Exit(0 if found.state is FinalState.COMPLETE else 1)


@study.command()
def delete(name: Name) -> None:
    """Delete a study with all its trials."""
    with Client() as client:
        client.delete_study(name)
    typer.echo(f"study {name} is deleted")


@data.command("put")
def put_dataset(
    file: Annotated[Path, typer.Argument(help="A .csv, .parquet, .npz or .tar.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(help="What to call it; the name of the file if nothing is said.")] = None,
    target: Annotated[str | None, typer.Option(help="The column that is learned, of .csv and .parquet.")] = None,
    kind: Annotated[TargetKind, typer.Option(help="What is learned.")] = TargetKind.AUTO,
) -> None:
    """Put a file as the newest version of a data set."""
    with Client() as client:
        _console().print(dataset_view(client.put_dataset(name or file.stem, file, target=target, kind=kind)))


@data.command("list")
def list_datasets(as_json: Json = False) -> None:
    """List the data sets by name, the built-in ones among them."""
    with Client() as client:
        found = list(client.datasets())
    if as_json:
        typer.echo("[" + ",\n ".join(dataset.model_dump_json() for dataset in found) + "]")
    else:
        _console().print(datasets_table(found))


@data.command("show")
def show_dataset(name: DatasetName, as_json: Json = False) -> None:
    """Show what is in a data set."""
    with Client() as client:
        found = client.dataset(name)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _console().print(dataset_view(found))


@data.command("delete")
def delete_dataset(name: DatasetName) -> None:
    """Delete every version of a data set that no study needs."""
    with Client() as client:
        client.delete_dataset(name)
    typer.echo(f"data set {name} is deleted")


@worker.command("list")
def list_workers() -> None:
    """List the workers: who is alive, on what device, doing which trials."""
    with Client() as client:
        _console().print(rendering.workers_table(client.workers()))


@token.command("create")
def create_token(
    kind: Annotated[TokenKind, typer.Option(help="What its holder may do.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
) -> None:
    """Make a token and print it, this once."""
    with Client() as client:
        typer.echo(client.make_token(kind, name).token)


@token.command("list")
def list_tokens() -> None:
    """List the tokens, revoked ones among them."""
    with Client() as client:
        _console().print(rendering.tokens_table(client.tokens()))


@token.command("revoke")
def revoke_token(token_id: Annotated[int, typer.Argument(help="As the list shows it.")]) -> None:
    """Revoke a token: no replica takes it any more."""
    with Client() as client:
        client.revoke_token(str(token_id))
    typer.echo(f"token {token_id} is revoked")


def _simple_spec(name: str | None, task: str | None, dataset: str | None, trials: int | None) -> StudySpec:
    data = {} if dataset is None else {"data": {"dataset": dataset}}
    budget = {} if trials is None else {"budget": {"trials": trials}}
    return built(StudySpec, {"name": name, "task": {"name": task or "mlp", **data}, **budget})


def _best(client: Client, name: str) -> BestTrial | None:
    try:
        return client.best_trial(name)
    except (NoCompleteTrial, NoFeasibleTrial, SeveralObjectives):
        return None


def _has_final(client: Client, name: str) -> bool:
    """Return whether there is a final model, or one that failed after its reading: it is not asked for once more."""
    try:
        found = client.final(name)
    except FinalNotFound:
        return False
    return found.state is not FinalState.FAILED or bool(found.reads)


def _where_next(created: Study) -> str:
    warnings = "".join(f"warning: {rendering.printable(text)}\n" for text in created.warnings)
    added = f"; {created.added} taken over" if created.added else ""
    return (
        f"study {created.name} is {created.state}: {rendering.budget_line(created.spec.budget)}{added}\n{warnings}"
        f"  trimtab study watch {created.name}    follow it\n"
        f"  trimtab study best {created.name}     the best trial so far"
    )


def _console() -> Console:
    """Return where people look: with colours in a terminal, with whole lines in a pipe."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False, emoji=False)


def _fail(error: TrimtabError, *, code: int) -> NoReturn:
    typer.echo(f"trimtab: {rendering.printable(str(error))}", err=True)
    sys.exit(code)
