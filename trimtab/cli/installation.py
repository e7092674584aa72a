"""`trimtab doctor`: check an installation."""

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def doctor() -> None:
    """Check an installation."""
