"""Errors a server sent, as the classes they were there."""

from __future__ import annotations

from nuvo_jupyter.model.errors import NuvoError, all_errors
from nuvo_jupyter.model.tasks import Problem


def rebuild(problem: Problem) -> NuvoError:
    """The error with the class its code names; the base class for a code this version does not know."""
    return all_errors().get(problem.code, NuvoError)(problem.message, hint=problem.hint)
