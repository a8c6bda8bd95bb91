"""Every page and picture that the documentation links to is there, and no page of it is unreachable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def linked(page: Path) -> set[Path]:
    """What a page links to inside the repository."""
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    return {(page.parent / target).resolve() for target in targets if "://" not in target}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in linked(page) if not target.exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    found = linked(ROOT / "docs" / "index.md")
    missing = (
        {page.name for page in (ROOT / "docs").glob("*.md")} - {page.name for page in found} - {"index.md"}
    )
    assert missing == set()
