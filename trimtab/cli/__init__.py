"""`trimtab`: studies, data sets, workers and tokens from the command line.

Exit codes: 0 it was done; 1 the service said no; 2 it cannot be asked, or the command is wrong; 130 Ctrl-C.
"""

from trimtab.cli.nouns import command


def main() -> None:
    """Run the command line."""
    command()(prog_name="trimtab")
