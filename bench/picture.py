"""The curves of growth as a picture, legible on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.curves import Curve

_INK = "#7a8088"
_COLOURS = ("#3b82c4", "#d9822b", "#3a9d5d", "#b05cc6", "#c94f5c", "#8a7a2e")
_MARKS = "osD^vP"
_SIZES = ("files", "targets", "snapshots")


def draw(curves: Sequence[Curve], file: Path) -> None:
    """Write the picture: seconds above, memory below, one column for each thing that grows.

    Args:
        file: SVG; its folder is made if missing.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    style: dict[Any, Any] = {
        "font.size": 10,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "svg.fonttype": "none",
        "svg.hashsalt": "nuvo",
    }
    shown = [of for of in _SIZES if any(curve.of == of for curve in curves)]
    with mpl.rc_context(style):
        figure, axes = pyplot.subplots(2, len(shown), figsize=(4.2 * len(shown), 6.6), squeeze=False)
        for column, of in enumerate(shown):
            for number, curve in enumerate(one for one in curves if one.of == of):
                sizes = [size for size, _, _ in curve.points]
                look = {
                    "color": _COLOURS[number % len(_COLOURS)],
                    "marker": _MARKS[number % len(_MARKS)],
                    "linewidth": 1.8,
                    "markersize": 5,
                }
                seconds = [cost for _, cost, _ in curve.points]
                axes[0][column].plot(sizes, seconds, label=f"{curve.work} ({curve.exponent:.2f})", **look)
                memory = [peak / 1e6 for _, _, peak in curve.points]
                axes[1][column].plot(sizes, memory, **look)
            for row, unit in ((0, "seconds"), (1, "MB above idle")):
                axis = axes[row][column]
                axis.set_xscale("log")
                sizes = sorted({size for one in curves if one.of == of for size, _, _ in one.points})
                axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
                axis.xaxis.set_minor_locator(NullLocator())
                if row == 0:
                    axis.set_yscale("log")
                    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                    axis.yaxis.set_minor_formatter(NullFormatter())
                    _two_decades(axis)
                else:
                    axis.set_ylim(bottom=0)
                axis.grid(True, which="major", color=_INK, alpha=0.25, linewidth=0.6)
                axis.patch.set_alpha(0)
                if column == 0:
                    axis.set_ylabel(unit)
            axes[1][column].set_xlabel(of)
            axes[0][column].legend(
                frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), labelcolor=_INK
            )
        figure.patch.set_alpha(0)
        figure.tight_layout()
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _two_decades(axis: Any) -> None:
    # With less, a curve that is flat but for noise would look wild, and the axis have a single label.
    low, high = axis.get_ylim()
    middle = (low * high) ** 0.5
    axis.set_ylim(min(low, middle / 10), max(high, middle * 10))
