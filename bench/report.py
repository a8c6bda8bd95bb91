"""The figures as plain text, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figures
from bench.scales import MB, Scale
from bench.targets import TARGETS
from bench.tools.base import Tool


@dataclass(frozen=True)
class Report:
    """One run with everything that is needed to read it.

    Args:
        tools: the columns.
        missing: tools that could not be installed, and why.
        versions: what each tool says it is.
        remark: about the machine while it ran.
        load: the machine's load average when the run began.
    """

    scale: Scale
    runs: int
    tools: Sequence[Tool]
    missing: dict[str, str]
    versions: dict[str, str]
    figures: Figures
    file_system: str
    load: float
    remark: str = ""

    def tables(self) -> list[tuple[str, list[list[str]]]]:
        """Titles, and rows of cells with the heading first."""
        figures = self.figures
        works = list(dict.fromkeys(work for work, _ in figures.times))
        stores = list(dict.fromkeys(what for what, _ in figures.sizes))
        others = [tool.name for tool in self.tools if tool.name != "ours"]
        names = ["ours", *others] if any(tool.name == "ours" for tool in self.tools) else others

        def seconds(work: str, tool: str) -> str:
            found = figures.times.get((work, tool))
            return "–" if found is None else ("~" if found.scaled else "") + _digits(found.seconds)

        def ratio(work: str, tool: str) -> str:
            mine, its = figures.times.get((work, "ours")), figures.times.get((work, tool))
            return "–" if mine is None or its is None else f"{_digits(mine.seconds / its.seconds)} ×"

        def megabytes(what: str, tool: str) -> str:
            found = figures.sizes.get((what, tool))
            return "–" if found is None else _digits(found / MB)

        def peak(work: str, tool: str) -> str:
            found = figures.times.get((work, tool))
            return "–" if found is None or not found.peak else f"{found.peak / MB:.0f}"

        tables = [
            ("Seconds, medians", _grid(works, names, seconds)),
            ("Ours as a multiple of each (below 1: ours is faster)", _grid(works, others, ratio)),
            ("Stored, MB", _grid(stores, names, megabytes)),
            ("Peak memory of the largest process, MB", _grid(works, names, peak)),
            ("Targets", self._targets()),
        ]
        return [(title, rows) for title, rows in tables if len(rows) > 1]

    def _targets(self) -> list[list[str]]:
        rows = [["", "measured", "must reach", "go for", ""]]
        for target in TARGETS:
            value = target.reached(self.figures, self.scale.targets)
            if value is not None:
                verdict = "reached" if value <= target.most else "missed"
                if target.goal is not None and value <= target.goal:
                    verdict = "goal reached"
                goal = "" if target.goal is None else f"{target.goal:g}"
                rows.append([target.label, _digits(value), f"≤ {target.most:g}", goal, verdict])
        if (memory := self.figures.above_idle("ours")) is not None:
            verdict = "goal reached" if memory <= 80 * MB else "reached" if memory <= 150 * MB else "missed"
            rows.append(
                [
                    "memory above the idle server, any of these, MB",
                    f"{memory / MB:.0f}",
                    "≤ 150",
                    "80",
                    verdict,
                ]
            )
        return rows

    def notes(self) -> list[str]:
        """What is to be known besides the tables."""
        scale = self.scale
        lines = [
            f"Scale “{scale.name}”: A {scale.notebooks[0]:,} notebooks, scripts and CSV files, {_mb(scale.notebooks)}; "
            f"B {scale.large[0]} large files, {_mb(scale.large)}; C {scale.tiny[0]:,} tiny files, {_mb(scale.tiny)}; "
            f"D {scale.course[0]} files, {_mb(scale.course)}, to {scale.targets} targets"
            f" (ours: each holds {scale.held} files of its own, which its backup captures).",
            f"Medians of {self.runs} interleaved runs, warm cache, disk settled before each measurement; "
            f"{os.cpu_count()} cores, {self.file_system}, {platform.system()} {platform.release()}, "
            f"Python {platform.python_version()}; load when it began {self.load:.1f}.",
        ]
        if self.remark:
            lines.append(self.remark)
        if any(figure.scaled for figure in self.figures.times.values()):
            lines.append(f"~ measured on {scale.sample} targets and scaled to {scale.targets}.")
        for tool in self.tools:
            version = self.versions.get(tool.name)
            lines.append(f"{tool.name}: {tool.mode}{f' ({version})' if version else ''}.")
        lines += [f"{name} is not in the tables: {why}." for name, why in self.missing.items()]
        lines += [f"FAILED {name}: {why}" for name, why in self.figures.failures.items()]
        right = sum(self.figures.checks.values())
        lines.append(
            f"{right} of {len(self.figures.checks)} results compared with their originals were right."
        )
        return lines

    def text(self) -> str:
        """For a terminal."""
        parts = []
        for title, rows in self.tables():
            widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
            lines = [
                "  ".join(
                    cell.ljust(width) if column == 0 else cell.rjust(width)
                    for column, (cell, width) in enumerate(zip(row, widths, strict=True))
                ).rstrip()
                for row in rows
            ]
            parts.append("\n".join([title, "─" * len(title), *lines]))
        return "\n\n".join([*parts, "\n".join(self.notes())]) + "\n"

    def markdown(self) -> str:
        """For the documentation."""
        parts = []
        for title, (heading, *rows) in self.tables():
            lines = [_row(heading), _row(["---", *["--:"] * (len(heading) - 1)]), *map(_row, rows)]
            parts.append("\n".join([f"### {title}", "", *lines]))
        parts.append("\n".join(f"- {line}" for line in self.notes()))
        return "\n\n".join(parts) + "\n"

    def json(self) -> str:
        """Every single measurement."""
        figures = self.figures
        times = [
            {
                "work": work,
                "tool": tool,
                "seconds": [cost.seconds for cost in figure.costs],
                "median": figure.seconds,
                "peak_bytes": figure.peak,
                "scaled": figure.scaled,
            }
            for (work, tool), figure in figures.times.items()
        ]
        sizes = [{"what": what, "tool": tool, "bytes": size} for (what, tool), size in figures.sizes.items()]
        checks = [
            {"work": work, "tool": tool, "right": right} for (work, tool), right in figures.checks.items()
        ]
        whole = {
            "scale": self.scale.name,
            "runs": self.runs,
            "times": times,
            "sizes": sizes,
            "checks": checks,
            "failures": figures.failures,
            "missing": self.missing,
            "versions": self.versions,
        }
        return json.dumps(whole, indent=1) + "\n"


BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def write_into(page: Path, markdown: str) -> None:
    """Put the tables between the two marks of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} lacks the marks {BEGIN} and {END}")
    page.write_text(text[: text.index(BEGIN) + len(BEGIN)] + f"\n\n{markdown}\n" + text[text.index(END) :])


def _grid(rows: Sequence[str], columns: Sequence[str], cell: Callable[[str, str], str]) -> list[list[str]]:
    body = [[row, *[cell(row, column) for column in columns]] for row in rows]
    used = [index for index in range(1, len(columns) + 1) if any(row[index] != "–" for row in body)]
    return [["", *[columns[index - 1] for index in used]]] + [
        [row[0], *[row[index] for index in used]] for row in body if any(row[index] != "–" for index in used)
    ]


def _digits(value: float) -> str:
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.95 else f"{value:.2f}" if value >= 0.0995 else f"{value:.3f}"


def _mb(corpus: tuple[int, int]) -> str:
    return f"{corpus[1] / MB:.0f} MB"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
