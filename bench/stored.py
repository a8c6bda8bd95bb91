"""Figures in files: every single measurement, written by one run and read again to be put together with others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.curves import Curve
from bench.figures import Figure, Figures
from bench.measuring import Cost
from bench.report import Report
from bench.scales import SCALES
from bench.tools import TOOLS

FIRST_VERSION = Path(__file__).with_name("first_version.json")


def encode(report: Report) -> str:
    """A run as JSON."""
    figures = report.figures
    whole = {
        "scale": report.scale.name,
        "runs": report.runs,
        "tools": [tool.name for tool in report.tools],
        "missing": report.missing,
        "versions": report.versions,
        "file_system": report.file_system,
        "load": report.load,
        "remark": report.remark,
        "idle": figures.idle,
        "times": [
            {
                "work": work,
                "tool": tool,
                "seconds": [cost.seconds for cost in figure.costs],
                "peaks": [cost.peak for cost in figure.costs],
                "median": figure.seconds,
                "peak_bytes": figure.peak,
                "scaled": figure.scaled,
            }
            for (work, tool), figure in figures.times.items()
        ],
        "sizes": [
            {"what": what, "tool": tool, "bytes": size} for (what, tool), size in figures.sizes.items()
        ],
        "checks": [
            {"work": work, "tool": tool, "right": right} for (work, tool), right in figures.checks.items()
        ],
        "failures": figures.failures,
        "curves": [
            {"of": curve.of, "work": curve.work, "flat": curve.flat, "points": curve.points}
            for curve in figures.curves.values()
        ],
    }
    return json.dumps(whole, indent=1) + "\n"


def merged(files: Sequence[Path]) -> Report:
    """Several runs of one scale as if they had been one; a piece of work that several measured has all measurements.

    Raises:
        ValueError: they are of different scales.
    """
    parts = [json.loads(file.read_text()) for file in files]
    scales = {part["scale"] for part in parts}
    if len(scales) > 1:
        raise ValueError(f"of different scales: {', '.join(sorted(scales))}")
    figures = Figures()
    for part in parts:
        _add(part, figures)
    names = {name for part in parts for name in part["tools"]}
    ready = [tool for tool in TOOLS.values() if tool.name in names]
    return Report(
        SCALES[scales.pop()],
        max(part["runs"] for part in parts),
        ready,
        {name: why for part in parts for name, why in part["missing"].items() if name not in names},
        {name: text for part in parts for name, text in part["versions"].items()},
        figures,
        parts[0]["file_system"],
        max(part["load"] for part in parts),
        " ".join(dict.fromkeys(part["remark"] for part in parts if part["remark"])),
    )


def first_version(scale: str) -> Figures:
    """What the first version measured at a scale; nothing for scales it was not measured at."""
    figures = Figures()
    stored = json.loads(FIRST_VERSION.read_text()).get(scale, {})
    for work, by_tool in stored.get("seconds", {}).items():
        for tool, seconds in by_tool.items():
            figures.add(work, tool, Cost(seconds, 0))
    for what, by_tool in stored.get("megabytes", {}).items():
        for tool, megabytes in by_tool.items():
            figures.sizes[what, tool] = int(megabytes * 1e6)
    if (memory := stored.get("memory_above_idle")) is not None:
        figures.memory = int(memory * 1e6)
    return figures


def _add(part: dict[str, Any], figures: Figures) -> None:
    for row in part["times"]:
        figure = figures.times.setdefault((row["work"], row["tool"]), Figure())
        figure.costs += [
            Cost(seconds, peak, row["scaled"])
            for seconds, peak in zip(row["seconds"], row["peaks"], strict=True)
        ]
    for row in part["sizes"]:
        figures.sizes[row["what"], row["tool"]] = row["bytes"]
    for row in part["checks"]:
        key = row["work"], row["tool"]
        figures.checks[key] = figures.checks.get(key, True) and row["right"]
    for tool, idle in part["idle"].items():
        # The least: what is measured above it must not look smaller than it was.
        figures.idle[tool] = min(idle, figures.idle.get(tool, idle))
    figures.failures |= part["failures"]
    for row in part["curves"]:
        points = [(size, seconds, peak) for size, seconds, peak in row["points"]]
        figures.curves[row["of"], row["work"]] = Curve(row["work"], row["of"], row["flat"], points)
