"""Words in figures are text: Plotly, which reads tags and entities, shows what stands there."""

import html

import pytest

from service.web.figures.labels import distinct, label


@pytest.mark.parametrize("text", ["<b>bold</b>", "<a href='x'>", "a<br>b", "&lt;i&gt;", "&#60;sub&#62;", "a & b"])
def test_a_tag_is_no_tag(text: str) -> None:
    shown = label(text)

    assert "<" not in shown
    assert html.unescape(shown) == text


def test_a_mark_that_turns_the_direction_is_written_as_its_number() -> None:
    assert label("\u202egnihton") == "\\u202egnihton"
    assert label("a\nb") == "a\\nb"


def test_a_text_that_is_cut_is_not_cut_within_an_entity() -> None:
    assert label("&" * 500).count("&amp;") == 17
    assert html.unescape(label("&" * 500)).endswith("&…")


def test_nothing_is_shown_as_something() -> None:
    assert label("") == "''"


def test_texts_that_look_alike_are_told_apart() -> None:
    labels = distinct(["x" * 30 + "a", "x" * 30 + "b", "y"])

    assert len(set(labels)) == 3
    assert labels[1].endswith("(2)")


def test_optuna_shows_a_choice_without_quotes() -> None:
    assert repr(label("relu")) == "relu"
