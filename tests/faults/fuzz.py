"""Run as a process of its own: lets libFuzzer look for bytes that break one parser, guided by which code they reach."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["nuvo_jupyter"]):
    from tests.faults.parsers import ANY, PARSERS


def main() -> None:
    name = sys.argv.pop(1)
    parser = ANY if name == "any" else PARSERS[name]
    atheris.Setup(sys.argv, parser.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
