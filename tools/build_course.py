"""Rebuild the demo course's notebooks from ``tools/course_src``: execute them and store their outputs.

Usage: python tools/build_course.py [week ...]     (needs numpy, pandas, matplotlib, jupytext, nbclient, ipykernel)

Each source is a notebook in jupytext's Markdown form. Code cells tagged ``answer`` are the empty cells students fill in;
cells tagged ``variant`` after one are what students wrote there: they are executed with the rest, then moved with their
outputs from the notebook to ``nuvo_jupyter/demo/answers.json``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from draw_figures import write_figures
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DEMO = ROOT / "nuvo_jupyter" / "demo"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.11.9",
}


def read_source(path: Path) -> Any:
    """The notebook of a source file, with ids that follow from the file's name and the cells' text."""
    notebook = nbformat.from_dict(jupytext.read(path, fmt="md"))
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        seen[cell.source] = seen.get(cell.source, 0) + 1
        text = f"{path.stem}\n{cell.source}\n{seen[cell.source]}"
        cell.id = hashlib.sha256(text.encode()).hexdigest()[:8]
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def execute(notebook: Any, folder: Path) -> None:
    """Run all cells in the folder. Plots come out at 100 dots an inch."""
    setup = nbformat.v4.new_code_cell("%config InlineBackend.rc = {'figure.dpi': 100}\n%matplotlib inline")
    notebook.cells.insert(0, setup)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    del notebook.cells[0]
    notebook.metadata.language_info = nbformat.from_dict(LANGUAGE)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and output.name == "stderr":
                raise SystemExit(f"a cell writes to stderr:\n{cell.source}\n{output.text}")


def part_variants(notebook: Any) -> list[list[dict[str, Any]]]:
    """Take the variants out of the notebook; for each answer cell, in order, what students wrote and saw."""
    kept: list[Any] = []
    answers: list[list[dict[str, Any]]] = []
    count = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "variant" in tags:
            outputs = json.loads(json.dumps(cell.outputs))
            for output in outputs:
                output.pop("execution_count", None)
            answers[-1].append({"source": cell.source, "outputs": outputs})
            continue
        if cell.cell_type == "code":
            if "answer" in tags:
                answers.append([])
                cell.execution_count, cell.outputs = None, []
            else:
                count += 1
                cell.execution_count = count
                for output in cell.outputs:
                    if output.output_type == "execute_result":
                        output.execution_count = count
        kept.append(cell)
    notebook.cells = kept
    return answers


def csv_hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each generated CSV file, by its path in the course."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "data").rglob("*.csv"))
    }


def main(weeks: list[str]) -> None:
    """Rebuild the notebooks of the given weeks (two digits each), or all."""
    write_figures(DEMO / "course" / "images")
    answers_file = DEMO / "answers.json"
    answers = json.loads(answers_file.read_text("utf-8")) if answers_file.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        from nuvo_jupyter.demo.city_data import holidays_csv
        from nuvo_jupyter.demo.material import write_data

        course = Path(name)
        write_data(course)
        hashes = csv_hashes(course)
        made_from = DEMO / "executed_against.json"
        if weeks and hashes != json.loads(made_from.read_text("utf-8")):
            raise SystemExit("the data has changed: rebuild all weeks")
        (course / "data" / "holidays_2024.csv").write_text(holidays_csv(), encoding="utf-8")
        (course / "notebooks").mkdir()
        for source in sorted((ROOT / "tools" / "course_src").glob("week*.md")):
            if weeks and source.stem[4:6] not in weeks:
                continue
            # Week 12 lists the data there is; the bonus week's file comes later.
            bonus = source.stem[4:6] == "13"
            if not bonus:
                (course / "data" / "holidays_2024.csv").unlink(missing_ok=True)
            else:
                (course / "data" / "holidays_2024.csv").write_text(holidays_csv(), encoding="utf-8")
            notebook = read_source(source)
            execute(notebook, course / "notebooks")
            answers[source.stem] = part_variants(notebook)
            nbformat.validate(notebook)
            target = DEMO / "revision" if bonus else DEMO / "course" / "notebooks"
            text = nbformat.writes(notebook)
            (target / f"{source.stem}.ipynb").write_text(text + "\n", encoding="utf-8")
            print(f"{source.stem}: {len(notebook.cells)} cells, {len(text) // 1024} KiB")
    dumped = json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True)
    answers_file.write_text(dumped + "\n", encoding="utf-8")
    made_from.write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
