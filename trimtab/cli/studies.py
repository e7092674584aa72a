"""`trimtab study`: all that there is to do with studies, from creating them to deleting them."""

from trimtab.cli import changing, creating, finals, lessons, reading, taking, trials, watching
from trimtab.cli.asking import verbs

app = verbs("Create, follow and read studies.")
for _part in (creating, reading, watching, trials, taking, lessons, changing, finals):
    app.add_typer(_part.app)
