"""What the page on tables shows works as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nuvo_jupyter
from nuvo_jupyter.workspace.tables.connection import Connection

PAGE = Path(__file__).parents[3] / "docs" / "tables.md"


def test_the_page(con: Connection, folder: Path) -> None:
    """Its statements run in order; the connection is the one that ``nuvo.connect()`` gives for this folder."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    names: dict[str, Any] = {"con": con, "nuvo": nuvo_jupyter}
    for block in blocks:
        exec(block.replace("con = nuvo.connect()\n", ""), names)
    assert con.execute("FROM marks ORDER BY name").fetchall() == [("anna", 9.5), ("ben", 8), ("cleo", 8)]
    assert names["best"]["name"].tolist() == ["anna", "cleo", "ben", "dan"]
    assert names["same"].height == 4
    assert con.execute("SELECT name FROM people").fetchall() == [("Anna B.",)]
    assert con.execute("FROM good").fetchall() == [("anna",)]
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.*")} == {
        "marks.parquet", "copied.parquet", "people.parquet", "week1/answers.parquet", "good.sql"
    }  # fmt: skip
