"""Declared commands as click runs them; parameters are made on first need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click

from nuvo_jupyter.cli.declare import App, Argument, Option, help_of


class _OnNeed:
    """What `Command` and `Group` share: parameters from a function's annotations, and arguments in the help."""

    function: Callable[..., Any] | None

    @cached_property
    def declared(self) -> list[click.Parameter]:
        """The parameters, in the order of the function's arguments."""
        if self.function is None:
            return []
        hints = get_type_hints(self.function, include_extras=True)
        return [
            _parameter(name, hints[name], parameter.default)
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name != "context"
        ]

    @property
    def params(self) -> list[click.Parameter]:
        """As click asks for them; reading a list of commands does not."""
        return self.declared

    @params.setter
    def params(self, _given: list[click.Parameter]) -> None:
        # click's own constructor assigns what it was given: nothing.
        return

    def run(self, **values: Any) -> Any:
        """Call the function with what was typed."""
        assert self.function is not None
        if "context" in inspect.signature(self.function).parameters:
            values["context"] = click.get_current_context()
        return self.function(**values)

    def write_words(self, formatter: click.HelpFormatter) -> None:
        """Write what each word without a name means."""
        rows = [parameter.record() for parameter in self.declared if isinstance(parameter, _Word)]
        if rows:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)


class Command(_OnNeed, click.Command):
    """One command.

    Args:
        function: does it; its docstring is the help, its annotations the parameters.
    """

    def __init__(self, name: str, function: Callable[..., Any], **settings: Any) -> None:
        self.function = function
        super().__init__(name, callback=self.run, help=help_of(function), **settings)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write arguments, then options."""
        self.write_words(formatter)
        with formatter.section("Options"):
            formatter.write_dl(_records(self, ctx))


class Group(_OnNeed, click.Group):
    """A group of commands, each of them built when it is looked up."""

    def __init__(self, name: str, app: App, **settings: Any) -> None:
        self.function = app.everything
        self.app = app
        super().__init__(
            name,
            callback=self.run if self.function else None,
            help=app.help or (help_of(self.function) if self.function else ""),
            invoke_without_command=app.acts_alone,
            no_args_is_help=not app.acts_alone,
            **settings,
        )

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Names, in the order they are declared."""
        return list(self.app.entries)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Build one."""
        if name not in self.commands and name in self.app.entries:
            self.commands[name] = self.app.entries[name]()
        return self.commands.get(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest one where there is none of that name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx))
            if not near or "Did you mean" in error.format_message():
                raise
            told = f"{error.format_message()} Did you mean {' or '.join(map(repr, near))}?"
            raise click.UsageError(told, ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write options, then commands."""
        with formatter.section("Options"):
            formatter.write_dl(_records(self, ctx))
        self.format_commands(ctx, formatter)


class _Word(click.Argument):
    """An argument with a help text, which older releases of click do not know."""

    def __init__(self, about: str, shown: str, **settings: Any) -> None:
        self.about = about
        self.shown = shown
        super().__init__(**settings)

    def make_metavar(self, ctx: click.Context) -> str:
        """What stands for it in the usage line."""
        if self.required or self.shown.startswith("["):
            return self.shown
        return f"[{self.shown}]{'...' if self.nargs == -1 else ''}"

    def record(self) -> tuple[str, str]:
        """Its line in the help."""
        notes = [f"[default: {self.default}]"] if isinstance(self.default, str) and self.default else []
        return self.shown.strip("[]"), "  ".join([self.about, *notes])


def _records(command: click.Command, ctx: click.Context) -> list[tuple[str, str]]:
    shown = (
        one.get_help_record(ctx) for one in command.get_params(ctx) if not isinstance(one, click.Argument)
    )
    return [record for record in shown if record is not None]


def _parameter(name: str, hint: Any, default: Any) -> click.Parameter:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{name}: not annotated with Option(…) or Argument(…)")
    kind, info = get_args(hint)[:2]
    if get_origin(kind) in (UnionType, Union):
        (kind,) = (inner for inner in get_args(kind) if inner is not NoneType)
    several = get_origin(kind) is list
    if several:
        (kind,) = get_args(kind)
    required = default is inspect.Parameter.empty
    settings: dict[str, Any] = {"required": required, "type": _type(kind, info)}
    if several:
        # click gives an empty tuple where nothing was typed.
        settings["callback"] = lambda _ctx, _param, value: (
            list(value) if value or default is not None else None
        )
    elif not required:
        settings["default"] = default
    if info.autocompletion is not None:
        settings["shell_complete"] = _completing(info.autocompletion)
    if isinstance(info, Argument):
        shown = info.metavar or name.upper()
        return _Word(info.help, shown, param_decls=[name], nargs=-1 if several else 1, **settings)
    assert isinstance(info, Option)
    if info.callback is not None:
        settings["callback"] = _calling(info.callback)
    return click.Option(
        [name, *(info.names or (f"--{name.replace('_', '-')}",))],
        help=info.help,
        metavar=info.metavar,
        multiple=several,
        is_flag=kind is bool,
        is_eager=info.is_eager,
        show_default=bool(default) and not required,
        **(settings if kind is not bool else {**settings, "type": None}),
    )


def _type(kind: Any, info: Option | Argument) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is int:
        bounds = (info.min, info.max) if isinstance(info, Option) else (None, None)
        return click.INT if bounds == (None, None) else click.IntRange(*bounds)
    return click.STRING


def _calling(function: Callable[[click.Context, Any], Any]) -> Callable[..., Any]:
    return lambda ctx, _param, value: function(ctx, value)


def _completing(function: Callable[[click.Context, str], list[str]]) -> Callable[..., list[str]]:
    return lambda ctx, _param, typed: function(ctx, typed)
