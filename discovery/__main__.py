"""The entry point: listens for signals first, since what the commands import takes seconds."""

from __future__ import annotations

from typing import NoReturn

from discovery import stopping


def main() -> NoReturn:
    """Run the command line."""
    stopping.listen()
    from discovery import commands  # noqa: PLC0415 - after the signals

    commands.main()


if __name__ == "__main__":
    main()
