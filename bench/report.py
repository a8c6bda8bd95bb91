"""The figures as plain text, as Markdown and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figures
from bench.scales import MB, Scale
from bench.targets import MANY, MEMORY_GOAL, MEMORY_MOST, TARGETS
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
        first: what the first version measured.
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
    first: Figures | None = None

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

        whole = [work for work in works if work.startswith(("T ", "E "))]
        works = [work for work in works if work not in whole]
        tables = [
            ("Seconds, medians", _grid(works, names, seconds)),
            ("Ours as a multiple of each (below 1: ours is faster)", _grid(works, others, ratio)),
            ("Stored, MB", _grid(stores, names, megabytes)),
            ("Peak memory of the largest process, MB", _grid(works, names, peak)),
            ("A table, and an environment: seconds, medians", _grid(whole, names, seconds)),
            ("A table, and an environment: ours as a multiple of each", _grid(whole, others, ratio)),
            ("Targets", self._targets()),
            ("Growth", self._growth()),
        ]
        return [(title, rows) for title, rows in tables if len(rows) > 1]

    def _targets(self) -> list[list[str]]:
        rows = [["", "first version", "now", "must reach", "go for", ""]]
        first = self.first or Figures()
        for target in TARGETS:
            value = target.reached(self.figures, self.scale)
            if value is not None:
                before = target.reached(first, self.scale)
                shown = [target.label, "–" if before is None else _digits(before), _digits(value)]
                goal = "" if target.goal is None else f"{target.goal:g}"
                rows.append([*shown, f"≤ {target.most:g}", goal, _verdict(value, target.most, target.goal)])
        if (memory := self.figures.above_idle("ours")) is not None:
            before = first.above_idle("ours")
            rows.append(
                [
                    "memory above the idle server, any of these, MB",
                    "–" if before is None else f"{before / MB:.0f}",
                    f"{memory / MB:.0f}",
                    f"≤ {MEMORY_MOST / MB:g}",
                    f"{MEMORY_GOAL / MB:g}",
                    _verdict(memory, MEMORY_MOST, MEMORY_GOAL),
                ]
            )
        return rows

    def _growth(self) -> list[list[str]]:
        rows = [["", "against", "seconds", "MB above idle", "exponent", ""]]
        for curve in self.figures.curves.values():
            sizes = " / ".join(f"{size:,}" for size, _, _ in curve.points)
            seconds = " / ".join(_digits(seconds) for _, seconds, _ in curve.points)
            memory = " / ".join(f"{peak / MB:.0f}" for _, _, peak in curve.points)
            shown = [curve.work, f"{sizes} {curve.of}", seconds, memory, f"{curve.exponent:.2f}"]
            rows.append([*shown, curve.verdict])
        return rows

    def notes(self) -> list[str]:
        """What is to be known besides the tables."""
        scale = self.scale
        lines = [
            f"Scale “{scale.name}”: A {scale.notebooks[0]:,} notebooks, scripts and CSV files, {_mb(scale.notebooks)}; "
            f"B {scale.large[0]} large files, {_mb(scale.large)}; C {scale.tiny[0]:,} tiny files, {_mb(scale.tiny)}; "
            f"D {scale.course[0]} files, {_mb(scale.course)}, to {scale.targets} targets"
            f" (ours: each holds {scale.held} files of its own, which its backup captures); "
            f"T a table of {scale.rows:,} rows and three columns, to as many; "
            f"E {scale.packages} packages of 25 files, for {scale.students} students.",
            f"Medians of {self.runs} interleaved runs, warm cache, disk settled before each measurement; "
            f"{os.cpu_count()} cores, {self.file_system}, {platform.system()} {platform.release()}, "
            f"Python {platform.python_version()}; load when it began {self.load:.1f}.",
        ]
        if self.remark:
            lines.append(self.remark)
        if fewer := {letter: count for letter, count in self._runs_of().items() if count < self.runs}:
            lines.append(
                f"Fewer runs of {', '.join(f'{letter}: {count}' for letter, count in fewer.items())}."
            )
        few = {tool: most for tool, most in self._most_runs().items() if most < self.runs}
        if few:
            told = ", ".join(f"{name} {most}" for name, most in few.items())
            lines.append(f"Slow tools took part in fewer runs than {self.runs}: {told}.")
        if any(work.startswith(("REST", "server", "others", MANY)) for work, _ in self.figures.times):
            lines.append(
                f"One file restored over REST: in an instance of 200 files, {scale.snapshots:,} snapshots in the store, "
                "from the request to the finished task, backup snapshot included. Other requests: a list of files and "
                "Nuvo's status, each every 20 ms, while the work is done. "
                f"Many: {scale.watched:,} targets with {scale.held:,} files each, looked at for the first time."
            )
        if any(figure.scaled for figure in self.figures.times.values()):
            lines.append(
                f"~ measured on {scale.sample} targets and scaled to {scale.targets} (E: {scale.students})."
            )
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

    def _runs_of(self) -> dict[str, int]:
        works = {
            "A": "first snapshot",
            "B": "first snapshot",
            "C": "first snapshot",
            "D": "first hand-out",
        } | {"T": "hand-out", "E": "re-created for all"}
        figures = {
            letter: self.figures.times.get((f"{letter} {work}", "ours")) for letter, work in works.items()
        }
        return {letter: len(figure.costs) for letter, figure in figures.items() if figure is not None}

    def _most_runs(self) -> dict[str, int]:
        slow = [tool.name for tool in self.tools if tool.slow]
        return {
            name: max(len(figure.costs) for (_, tool), figure in self.figures.times.items() if tool == name)
            for name in slow
            if any(tool == name for _, tool in self.figures.times)
        }

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
            if title == "Growth":
                parts.append(f"![Seconds and memory against files, targets and snapshots]({PICTURE})")
        parts.append("\n".join(f"- {line}" for line in self.notes()))
        return "\n\n".join(parts) + "\n"


PICTURE = "images/performance-growth.svg"
"""Where the picture of the curves lies, beside the page."""

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


def _verdict(value: float, most: float, goal: float | None) -> str:
    if goal is not None and value <= goal:
        return "goal reached"
    return "reached" if value <= most else "missed"


def _grid(rows: Sequence[str], columns: Sequence[str], cell: Callable[[str, str], str]) -> list[list[str]]:
    body = [[row, *[cell(row, column) for column in columns]] for row in rows]
    used = [index for index in range(1, len(columns) + 1) if any(row[index] != "–" for row in body)]
    return [["", *[columns[index - 1] for index in used]]] + [
        [row[0], *[row[index] for index in used]] for row in body if any(row[index] != "–" for index in used)
    ]


def _digits(value: float) -> str:
    if value >= 99.5:
        return f"{value:.0f}"
    if value >= 9.95:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.0995 else f"{value:.3f}" if value >= 0.00995 else f"{value:.2g}"


def _mb(corpus: tuple[int, int]) -> str:
    return f"{corpus[1] / MB:.0f} MB"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
