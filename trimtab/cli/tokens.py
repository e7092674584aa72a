"""`trimtab token`: say who may call, and to do what."""

from typing import Annotated

import typer

from trimtab.cli.arguments import Json
from trimtab.cli.asking import verbs
from trimtab.cli.printing import say, show_all
from trimtab.client import Client
from trimtab.rendering import tokens_table
from trimtab.states import TokenKind

app = verbs("Say who may call, and to do what.")


@app.command()
def create(
    kind: Annotated[TokenKind, typer.Option(help="What its holder may do.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once."""
    with Client() as client:
        made = client.make_token(kind, name)
    typer.echo(made.model_dump_json(indent=2) if as_json else made.token)


@app.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List the tokens, revoked ones among them."""
    with Client() as client:
        found = list(client.tokens())
    show_all(found, tokens_table, as_json=as_json)


@app.command()
def revoke(
    token_id: Annotated[int, typer.Argument(help="As the list shows it.")],
    as_json: Json = False,
) -> None:
    """Revoke a token: no replica takes it any more."""
    with Client() as client:
        client.revoke_token(str(token_id))
    say(f"token {token_id} is revoked", {"token": str(token_id), "revoked": True}, as_json=as_json)
