"""Write the course's SVG figures. Run by ``tools/build_course.py``; needs nothing but Python."""

from __future__ import annotations

from pathlib import Path

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-family="sans-serif" font-size="15">\n<rect width="{w}" height="{h}" fill="white"/>\n'
)


def _text(x: float, y: float, words: str, color: str = "#333") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle" fill="{color}">{words}</text>\n'


def joins() -> str:
    """Four pairs of overlapping circles: which rows an inner, left, right and outer join keep."""
    parts = [_HEAD.format(w=760, h=180)]
    for number, (name, left, both, right) in enumerate(
        (("inner", 0, 1, 0), ("left", 1, 1, 0), ("right", 0, 1, 1), ("outer", 1, 1, 1))
    ):
        x = 95 + 190 * number
        parts.append(f'<clipPath id="c{number}"><circle cx="{x - 28}" cy="82" r="52"/></clipPath>\n')
        for cx, kept in ((x - 28, left), (x + 28, right)):
            parts.append(f'<circle cx="{cx}" cy="82" r="52" fill="{"#7fb3d5" if kept else "#f4f4f4"}"/>\n')
        fill = "#2e86c1" if both else "#f4f4f4"
        parts.append(f'<circle cx="{x + 28}" cy="82" r="52" fill="{fill}" clip-path="url(#c{number})"/>\n')
        for cx in (x - 28, x + 28):
            parts.append(f'<circle cx="{cx}" cy="82" r="52" fill="none" stroke="#333" stroke-width="1.5"/>\n')
        parts.append(_text(x, 165, name))
    return "".join(parts) + "</svg>\n"


def train_test() -> str:
    """One bar cut into training and test data."""
    return (
        _HEAD.format(w=640, h=120)
        + '<rect x="20" y="30" width="450" height="44" fill="#7dcea0"/>\n'
        + '<rect x="470" y="30" width="150" height="44" fill="#f5b041"/>\n'
        + _text(245, 58, "training data: learn the weights here")
        + _text(545, 58, "test data")
        + _text(545, 98, "look only once, at the end", "#a04000")
        + "</svg>\n"
    )


def tree() -> str:
    """A decision tree with two questions and three answers."""
    parts = [_HEAD.format(w=560, h=260)]
    for x1, y1, x2, y2 in (
        (280, 50, 150, 120),
        (280, 50, 420, 120),
        (150, 140, 70, 215),
        (150, 140, 230, 215),
    ):
        parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#555" stroke-width="2"/>\n')
    for x, y, words, fill in (
        (280, 40, "reminder sent?", "#d6eaf8"),
        (150, 130, "week 12 or later?", "#d6eaf8"),
        (420, 130, "in time", "#d5f5e3"),
        (70, 220, "late", "#fadbd8"),
        (230, 220, "in time", "#d5f5e3"),
    ):
        parts.append(
            f'<rect x="{x - 68}" y="{y - 22}" width="136" height="40" rx="8" fill="{fill}" stroke="#555"/>\n'
        )
        parts.append(_text(x, y + 4, words))
    parts += [_text(195, 82, "no"), _text(365, 82, "yes"), _text(88, 178, "yes"), _text(212, 178, "no")]
    return "".join(parts) + "</svg>\n"


def write_figures(folder: Path) -> None:
    """Write ``joins.svg``, ``train_test.svg`` and ``tree.svg`` into the folder."""
    for name, drawing in (("joins", joins()), ("train_test", train_test()), ("tree", tree())):
        (folder / f"{name}.svg").write_text(drawing, encoding="utf-8")
