"""How commands are declared: a function's annotated arguments, made into a click command when it is looked up.

The vocabulary is that of typer, whose validation library and eager building cost every run a tenth of a second.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import click

Context = click.Context
Function = TypeVar("Function", bound=Callable[..., Any])


class Option:
    """An option, in the annotation of the argument that takes its value.

    Args:
        names: as typed: ``"--name", "-n"``; ``"--wait/--no-wait"`` for a switch. ``--argument-name`` by default.
        help: one line; every option has one.
        metavar: what stands for the value in the help.
        min, max: bounds of a number.
        callback: called with the context and the value; returns the value to use.
        autocompletion: called with the context and what was typed so far; returns what it may become.
        is_eager: handled before other options, like ``--version``.
    """

    def __init__(
        self,
        *names: str,
        help: str = "",
        metavar: str | None = None,
        min: int | None = None,
        max: int | None = None,
        callback: Callable[[click.Context, Any], Any] | None = None,
        autocompletion: Callable[[click.Context, str], list[str]] | None = None,
        is_eager: bool = False,
    ) -> None:
        self.names = names
        self.help = help
        self.metavar = metavar
        self.min = min
        self.max = max
        self.callback = callback
        self.autocompletion = autocompletion
        self.is_eager = is_eager


@dataclass(frozen=True)
class Argument:
    """A word of the command line that has no name, in the annotation of the argument that takes it."""

    help: str = ""
    metavar: str | None = None
    autocompletion: Callable[[click.Context, str], list[str]] | None = None


class BadParameter(click.BadParameter):
    """What was typed for an argument cannot be; ends the command with a usage error."""


def end(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise click.exceptions.Exit(code)


class App:
    """Commands of `nuvo`, or of one of its groups.

    Args:
        help: one line.
        acts_alone: whether the group's callback is a command of its own; else the group alone shows its help.
    """

    def __init__(self, *, help: str = "", acts_alone: bool = False) -> None:
        self.help = help
        self.acts_alone = acts_alone
        self.entries: dict[str, Callable[[], click.Command]] = {}
        self.everything: Callable[..., Any] | None = None

    def command(
        self,
        name: str | None = None,
        *,
        hidden: bool = False,
        context_settings: Mapping[str, Any] | None = None,
    ) -> Callable[[Function], Function]:
        """Declare the decorated function as a command; named like it unless ``name`` says otherwise."""

        def declare(function: Function) -> Function:
            called = name or function.__name__.strip("_").replace("_", "-")

            def build() -> click.Command:
                from nuvo_jupyter.cli.commands import Command

                return Command(called, function, hidden=hidden, context_settings=dict(context_settings or {}))

            self.entries[called] = build
            return function

        return declare

    def callback(self) -> Callable[[Function], Function]:
        """Declare what runs before each command of the group, or alone."""

        def declare(function: Function) -> Function:
            self.everything = function
            return function

        return declare

    def group(self, name: str, *, help: str, acts_alone: bool = False) -> App:
        """A group of commands below this one."""
        inner = App(help=help, acts_alone=acts_alone)

        def build() -> click.Command:
            from nuvo_jupyter.cli.commands import Group

            return Group(name, inner)

        self.entries[name] = build
        return inner


def help_of(function: Callable[..., Any]) -> str:
    """The help text of a command: its docstring."""
    return inspect.getdoc(function) or ""
