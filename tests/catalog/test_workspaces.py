"""Which instances' folders overlap a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuvo_jupyter.catalog import spaces
from nuvo_jupyter.catalog.database import Catalog

FOLDERS = ["/home/anna/intro", "/home/anna/in", "/home/%/x_y", "/data"]


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/home/anna/intro", {"/home/anna/intro"}),
        ("/home/anna/intro/week1/deep", {"/home/anna/intro"}),
        ("/home/anna", {"/home/anna/intro", "/home/anna/in"}),
        ("/home/anna/int", set()),
        ("/home/anna/intros", set()),
        ("/home/ANNA/intro", set()),
        ("/home/b/x-y", set()),
        ("/home/%/x_y/z", {"/home/%/x_y"}),
        ("/dat", set()),
        ("/data/a b", {"/data"}),
    ],
)
def test_folders_that_are_hold_or_lie_in_another_overlap(
    tmp_path: Path, folder: str, found: set[str]
) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    with catalog.write() as connection:
        space = spaces.add_space(
            connection,
            organization_id=spaces.ensure_organization(connection, "home"),
            name="intro",
            kind="course",
            created_by="prof",
        )
        for number, one in enumerate(FOLDERS):
            spaces.add_instance(
                connection,
                space_id=space,
                name=str(number),
                kind="personal",
                workspace=one,
                created_by="prof",
            )
        assert {row.workspace for row in spaces.workspaces(connection, overlapping=folder)} == found
    catalog.close()
