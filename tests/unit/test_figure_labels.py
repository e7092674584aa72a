"""Words in figures are text: Plotly, which reads tags and entities, shows what stands there."""

import html

import pytest

from service.web.figures.labels import distinct, label, shortened


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
    assert "&…&" in html.unescape(label("&" * 500))


def test_nothing_is_shown_as_something() -> None:
    assert label("") == "''"


def test_texts_that_look_alike_are_told_apart() -> None:
    labels = distinct(["x" * 30 + "a" + "x" * 30, "x" * 30 + "b" + "x" * 30, "y"])

    assert len(set(labels)) == 3
    assert labels[1].endswith("(2)")


def test_of_a_long_text_both_ends_are_shown() -> None:
    assert shortened("learning_rate_of_the_encoder", 16) == "learning_r…coder"
    assert len(shortened("x" * 100, 16)) == 16
    assert shortened("short", 5) == "short"


def test_optuna_shows_a_choice_without_quotes() -> None:
    assert repr(label("relu")) == "relu"
