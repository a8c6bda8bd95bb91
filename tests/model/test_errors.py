"""Errors as faces send and rebuild them."""

from __future__ import annotations

from nuvo_jupyter.model.errors import EmptyStage, NuvoError, all_errors


def test_codes_are_stable_names_and_no_two_errors_share_one() -> None:
    classes: list[type[NuvoError]] = [NuvoError]
    for cls in classes:
        classes.extend(cls.__subclasses__())
    errors = all_errors()
    assert len(errors) == len(classes)
    for code, cls in errors.items():
        assert code == cls.code
        assert code.replace("_", "").isalpha()
        assert 400 <= cls.status < 600


def test_an_error_says_what_to_do_next() -> None:
    assert "Stage" in (EmptyStage("Nothing is staged.").hint or "")
    assert EmptyStage("x", hint="y").to_dict() == {"code": "empty_stage", "message": "x", "hint": "y"}
