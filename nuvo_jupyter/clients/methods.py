"""The client: every declared operation as a method."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import msgspec

from nuvo_jupyter.clients.transport import OnProgress, Transport
from nuvo_jupyter.engine.operations import BY_NAME, Operation
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.tasks import Preview, TargetPreview, Task, TaskState

_PAGE_OBJECTS = 1000


class Client:
    """Nuvo for Python programs: ``client.snapshot_list(instance="intro/master")`` and so on.

    The methods are the operations of ``docs/rest.md``; their keyword arguments are the fields of the requests,
    their results the response structs of ``nuvo_jupyter.model``. Operations that answer with a task take ``wait``.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def where(self) -> str:
        """Which engine this client reaches, for people."""
        return self._transport.where

    def call(self, operation: str, **fields: Any) -> Any:
        """Run an operation by name.

        Raises:
            InvalidInput: there is no such operation, or a field is unknown, missing or of the wrong type.
            NuvoError: whatever the engine raises.
        """
        if operation not in BY_NAME:
            raise InvalidInput(f"There is no operation {operation!r}.", hint="docs/rest.md lists them.")
        declared = BY_NAME[operation]
        try:
            request = msgspec.convert(fields, declared.request, from_attributes=True)
        except msgspec.ValidationError as error:
            raise InvalidInput(f"{operation}: {error}.") from error
        return self._transport.call(declared, request)

    def wait(self, task: Task | int, on_progress: OnProgress | None = None) -> Task:
        """Wait until a task has finished, whatever became of it; an interrupt (Ctrl-C, kernel interrupt) cancels it.

        Args:
            on_progress: called with the task as it proceeds.

        Raises:
            NotFound: there is no such task.
            KeyboardInterrupt: after the task was cancelled.
        """
        task_id = task if isinstance(task, int) else task.id
        try:
            return self._transport.wait(task_id, on_progress)
        except KeyboardInterrupt:
            if not self.call("task_cancel", id=task_id).state.finished:
                self._transport.wait(task_id, on_progress)
            raise

    def finish(self, task: Task | int, on_progress: OnProgress | None = None) -> Task:
        """Wait as :meth:`wait` does, and raise the task's problem if it failed.

        Raises:
            NuvoError: the task failed or was cancelled.
        """
        from nuvo_jupyter.clients.errors import rebuild

        done = self.wait(task, on_progress)
        if done.state in (TaskState.FAILED, TaskState.CANCELLED) and done.problem is not None:
            raise rebuild(done.problem)
        return done

    def preview(self, task: Task | int) -> Preview:
        """A whole preview: every target with every object, read page by page.

        Raises:
            NotFound: there is no such preview.
        """
        task_id = task if isinstance(task, int) else task.id
        found: Preview = self.call("preview_show", id=task_id, objects=_PAGE_OBJECTS)
        targets = [self._whole(task_id, target) for target in found.targets]
        while found.targets and len(targets) < found.total:
            more: Preview = self.call("preview_show", id=task_id, after=len(targets), objects=_PAGE_OBJECTS)
            if not more.targets:
                break
            targets += [self._whole(task_id, target) for target in more.targets]
        return msgspec.structs.replace(found, targets=tuple(targets))

    def _whole(self, task_id: int, target: TargetPreview) -> TargetPreview:
        outcomes = list(target.outcomes)
        while len(outcomes) < sum(target.counts.values()):
            more: TargetPreview = self.call(
                "preview_target", id=task_id, instance=target.instance, after=len(outcomes)
            )
            if not more.outcomes:
                break
            outcomes += more.outcomes
        return msgspec.structs.replace(target, outcomes=tuple(outcomes))

    def close(self) -> None:
        """Let go of connections and files."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in BY_NAME:
            raise AttributeError(f"{type(self).__name__!r} has no operation {name!r}")
        return _method(self, BY_NAME[name])

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *BY_NAME})

    def __repr__(self) -> str:
        return f"<Nuvo client: {self.where}>"


def _method(client: Client, operation: Operation) -> Callable[..., Any]:
    def method(**fields: Any) -> Any:
        return client.call(operation.name, **fields)

    method.__name__ = method.__qualname__ = operation.name
    method.__doc__ = operation.help
    parameters = []
    for field in msgspec.structs.fields(operation.request):
        default = inspect.Parameter.empty if field.required else field.default
        parameters.append(
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type
            )
        )
    method.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=operation.response
    )
    return method
