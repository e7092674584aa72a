"""What turns the direction of writing, or moves a cursor, is in no text of one line that somebody else reads."""

import pytest
from pydantic import TypeAdapter, ValidationError

from trimtab.message import Tag
from trimtab.suggestions import AttributeKey
from trimtab.trial_logs import LineText


@pytest.mark.parametrize("kind", [Tag, AttributeKey, LineText], ids=["tag", "key", "line"])
@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\x1b", "\x7f", "\x9b", "\u061c", "\u200f", "\u2028", "\u202e", "\u2067"]
)
def test_no_text_of_one_line_has_a_control_character(kind: type[str], character: str) -> None:
    text = TypeAdapter(kind)

    assert text.validate_python("a b") == "a b"
    with pytest.raises(ValidationError):
        text.validate_python(f"a{character}b")
