"""What threads decode was looked at by msgspec before: two first looks at once end the process."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from nuvo_jupyter.model.inspected import INSPECTED

PACKAGE = Path(__file__).parents[2] / "nuvo_jupyter"
THREADED = ("catalog", "store", "workspace", "delivery", "engine")
# Run in a process of its own that has one thread.
ALONE = {
    "nuvo_jupyter.workspace.applications.conda.__main__",
    "nuvo_jupyter.workspace.applications.conda.link",
}

RACE = """
import sys, threading, msgspec
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.model.tasks import DistributionKind

sys.setswitchinterval(1e-6)
data = msgspec.msgpack.encode(DistributionOrder(next(iter(DistributionKind)), ()))
together = threading.Barrier(4)
found = []

def decode():
    together.wait()
    found.append(msgspec.msgpack.decode(data, type=DistributionOrder))

threads = [threading.Thread(target=decode) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 4
"""


def decoded() -> Iterator[tuple[str, str]]:
    """Module, and name of a class that it decodes without a decoder of its own."""
    for part in THREADED:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text())) if module not in ALONE else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    for keyword in node.keywords if node.func.attr == "decode" else ():
                        if keyword.arg == "type":
                            for name in ast.walk(keyword.value):
                                if isinstance(name, ast.Name):
                                    yield module, name.id


@pytest.mark.parametrize(("module", "name"), sorted(set(decoded())))
def test_what_threads_decode_was_looked_at(module: str, name: str) -> None:
    found = getattr(import_module(module), name, None)
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        assert found in INSPECTED, f"{name} lacks @inspected"


def test_orders_are_decoded_by_threads_at_once() -> None:
    for _ in range(3):
        subprocess.run([sys.executable, "-c", RACE], check=True, timeout=120)
