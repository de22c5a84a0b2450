"""The `helpdesk` command: finds the commands in flows/commands and turns known faults into exit code 2."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import typer

from flows import commands
from mappings.faults import Explained

FAULTS = (Explained, FileNotFoundError)
"""What a person can put right; its text says how. Anything else is ours, and shows where it happened."""

app = typer.Typer(
    name="helpdesk",
    help="The logic between your support tools: what each ticket is owed, and what is done about it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Keeps every command a subcommand, even while there is only one."""


for _module in sorted(module.name for module in iter_modules(commands.__path__)):
    import_module(f"{commands.__name__}.{_module}").register(app)


def main() -> None:
    """Run the command line. Exit code 0, or 2 with one line per fault."""
    try:
        app()
    except FAULTS as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
