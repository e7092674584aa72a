"""What the doctor calls a leak: the worker counts features, and users know columns and pixels."""

from dataclasses import replace

import pytest

from service.diagnosis import examine
from tests.unit.cases import case, study
from trimtab.data import BUILT_IN, DatasetFacts, Problem
from trimtab.spec import StudySpec

TABLE = DatasetFacts(Problem.CLASSIFICATION, 400, ("owner", "size", "day", "code"), classes=10)
IMAGES = DatasetFacts(Problem.CLASSIFICATION, 400, classes=10, image=(3, 4, 5))
LEAKS: list[tuple[DatasetFacts | None, dict[str, str], float, str]] = [
    (TABLE, {}, 3, "the column 'code' alone"),
    (TABLE, {"group": "owner"}, 2, "the column 'code' alone"),
    (TABLE, {"time": "day"}, 2, "the column 'code' alone"),
    (TABLE, {"group": "owner"}, 0, "the column 'size' alone"),
    (TABLE, {}, 4, "one feature alone"),
    (IMAGES, {}, 9, "the pixel in row 2, column 5 of channel 1 alone"),
    (IMAGES, {}, 59, "the pixel in row 4, column 5 of channel 3 alone"),
    (BUILT_IN["digits"], {}, 63, "the pixel in row 8, column 8 alone"),
    (BUILT_IN["digits"], {}, 64, "one pixel alone"),
    (None, {}, 3, "feature 3 (from 0) alone"),
]


@pytest.mark.parametrize(("facts", "split", "feature", "named"), LEAKS)
def test_a_leak_is_called_by_the_name_that_the_user_gave_it(
    facts: DatasetFacts | None, split: dict[str, str], feature: float, named: str
) -> None:
    spec = study(task={"data": {"dataset": "ours", "split": split}})
    leaking = replace(case(spec, leak_error=0.0, leak_feature=feature), datasets={"ours": facts} if facts else {})

    (finding,) = examine(leaking).findings

    assert finding.text.startswith(f"{named} answers with an error of 0")
    assert finding.figures["leak_feature"] == feature


def test_a_leak_of_a_study_without_a_task_is_known_by_its_number() -> None:
    space = {"x": {"type": "float", "low": 0, "high": 1}}
    spec = StudySpec.model_validate(
        {"name": "study", "task": None, "space": space, "objectives": [{"metric": "validation_error"}]}
    )

    (finding,) = examine(case(spec, leak_error=0.0, leak_feature=3)).findings

    assert finding.text.startswith("feature 3 (from 0) alone answers")
