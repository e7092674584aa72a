"""`trimtab worker`: see who trains."""

from trimtab.cli.arguments import Json
from trimtab.cli.asking import verbs
from trimtab.cli.printing import show_all
from trimtab.client import Client
from trimtab.rendering import workers_table

app = verbs("See who trains.")
app.callback()(lambda: None)  # A group of one command stays a group.


@app.command("list")
def list_workers(as_json: Json = False) -> None:
    """List the workers: who is alive, on what device, doing which trials."""
    with Client() as client:
        found = list(client.workers())
    show_all(found, workers_table, as_json=as_json)
