"""Which roles include which: the whole lattice."""

from __future__ import annotations

import itertools

import pytest

from nuvo_jupyter.model.roles import ROLES_OF, Need, Role, Scope, Standing, granter, rights

ORGANIZATION = [None, *ROLES_OF[Scope.ORGANIZATION]]
INSTANCE = [None, *ROLES_OF[Scope.INSTANCE]]
STANDINGS = [
    Standing(organization, admin, instance, edits, distributed)
    for organization, admin, instance, edits, distributed in itertools.product(
        ORGANIZATION, (False, True), INSTANCE, (False, True), (False, True)
    )
]
INSTANCE_NEEDS = [Need.EDITOR, Need.VIEWER, Need.OBSERVER]


@pytest.mark.parametrize(
    ("standing", "met"),
    [
        (Standing(), {Need.ANYONE}),
        (Standing(Role.MEMBER), {Need.ANYONE, Need.MEMBER}),
        (Standing(Role.FACULTY), {Need.ANYONE, Need.MEMBER, Need.FACULTY}),
        (Standing(Role.MANAGER), set(Need)),
        (Standing(admin=True), {Need.ANYONE, Need.ADMIN, *INSTANCE_NEEDS}),
        (Standing(instance=Role.EDITOR), {Need.ANYONE, *INSTANCE_NEEDS}),
        (Standing(instance=Role.VIEWER), {Need.ANYONE, Need.VIEWER, Need.OBSERVER}),
        (Standing(instance=Role.OBSERVER), {Need.ANYONE, Need.OBSERVER}),
        (Standing(edits_in_space=True), {Need.ANYONE}),
        (Standing(distributed=True), {Need.ANYONE}),
        (Standing(edits_in_space=True, distributed=True), {Need.ANYONE, Need.VIEWER, Need.OBSERVER}),
    ],
)
def test_what_a_role_meets(standing: Standing, met: set[Need]) -> None:
    assert rights(standing) == met


@pytest.mark.parametrize("standing", STANDINGS, ids=str)
def test_a_stronger_right_includes_the_weaker_ones(standing: Standing) -> None:
    met = rights(standing)
    for chain in ([Need.MANAGER, Need.FACULTY, Need.MEMBER], [Need.MANAGER, Need.ADMIN, *INSTANCE_NEEDS]):
        for stronger, weaker in itertools.pairwise(chain):
            assert stronger not in met or weaker in met


@pytest.mark.parametrize("standing", STANDINGS, ids=str)
def test_another_role_never_takes_a_right_away(standing: Standing) -> None:
    met = rights(standing)
    for other in STANDINGS:
        if (
            _at_least(other.organization, standing.organization)
            and other.admin >= standing.admin
            and standing.instance in (None, other.instance)
            and other.edits_in_space >= standing.edits_in_space
            and other.distributed == standing.distributed
        ):
            assert met <= rights(other)


def _at_least(one: Role | None, other: Role | None) -> bool:
    ranks = {role: rank for rank, role in enumerate(reversed(ROLES_OF[Scope.ORGANIZATION]), start=1)}
    return (ranks[one] if one else 0) >= (ranks[other] if other else 0)


def test_every_need_has_somebody_who_grants_it() -> None:
    for need in Need:
        assert granter(need) in ("a manager of the organization", "an admin of the space")
