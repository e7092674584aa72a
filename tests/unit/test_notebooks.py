"""What a notebook shows of a study: all of it, and nothing of it as markup."""

import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from tests.unit import samples
from tests.unit.stub import Stub, refused, said
from trimtab import html_view, notebooks
from trimtab.client import Client
from trimtab.diagnosis import Diagnosis, Edit, Figures, Finding, FindingCode
from trimtab.errors import NoCompleteTrial, StudyNotFound
from trimtab.handle import StudyHandle
from trimtab.handle.trial_list import TrialList
from trimtab.states import StudyState, TrialState

HOSTILE = "<script>alert('x')</script>&\"><img src=x onerror=alert(1)>"
TAGS = {"p", "b", "table", "thead", "tbody", "tr", "th", "td", "progress"}


class Seen(HTMLParser):
    """The tags of a page, and the texts between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_trials_are_a_table() -> None:
    trials = [
        samples.trial(0, state=TrialState.COMPLETE, values={"error": 0.25}, params={"units": (16, 8)}, step=7),
        samples.trial(1, params={"optimizer": "adam"}),
    ]

    seen = Seen(TrialList(trials)._repr_html_())

    assert seen.texts == [
        *("trial", "state", "values", "step", "units", "optimizer", "reason"),
        *("0", "complete", "error 0.25", "7", "16, 8"),
        *("1", "running", "adam"),
    ]


def test_of_very_many_trials_the_first_are_shown_and_the_rest_counted() -> None:
    trials = [samples.trial(number) for number in range(html_view.ROWS + 1)]

    page = html_view.trials_html(trials)

    assert page.count("<tr>") == 1 + html_view.ROWS
    assert f"{html_view.ROWS + 1} trials" in page


def test_what_others_wrote_is_shown_and_does_nothing() -> None:
    trial = samples.trial(0, params={"x": HOSTILE}, reason=HOSTILE, metrics={"error": None})
    study = samples.study(running=1).model_copy(update={"reason": HOSTILE, "warnings": [HOSTILE]})
    best = samples.best(0, 0.5, params={"x": (HOSTILE, HOSTILE)})

    seen = Seen(
        html_view.study_html(study.model_copy(update={"reason": HOSTILE, "warnings": [HOSTILE]}), best, [trial])
    )

    assert seen.tags <= TAGS
    assert sum(HOSTILE in text for text in seen.texts) == 5


def diagnosis(**fields: object) -> Diagnosis:
    figures = Figures(
        training_error=0.2,
        validation_error=0.3,
        target_error=0.0,
        bias=0.2,
        variance=0.1,
        noise={"bias": 0.01},
        tolerance=0.02,
    )
    shown = {
        "study": "digits",
        "trial": 3,
        "conditions": ["high_bias"],
        "figures": figures,
        "findings": [Finding(code=FindingCode.BIAS, figures={}, text=HOSTILE)],
        "edits": [Edit(path="space.x.high", was=HOSTILE, to=None, reason=HOSTILE)],
    }
    return Diagnosis.model_validate(shown | fields)


def test_a_diagnosis_is_shown_with_its_figures_findings_and_edits() -> None:
    seen = Seen(diagnosis()._repr_html_())

    assert seen.tags <= TAGS
    assert seen.texts[:2] == ["digits, trial 3", " high bias"]
    assert {"bias", "0.2", "space.x.high", HOSTILE} <= set(seen.texts)


def test_a_diagnosis_without_figures_says_why() -> None:
    seen = Seen(
        diagnosis(trial=None, conditions=[], figures=None, findings=[], edits=[], reason="too early")._repr_html_()
    )

    assert seen.texts == ["digits", " too early"]


def test_a_handle_shows_its_study(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.study(complete=4)), said(samples.best(2, 0.125)))

    page = StudyHandle(client, "digits")._repr_html_()

    assert "digits is running" in page
    assert '<progress value="4" max="40">' in page
    assert "validation_error 0.125 (trial 2)" in page


def test_a_handle_without_a_best_trial_says_so(stub: Stub, client: Client) -> None:
    stub.answers(said(samples.study()), refused(NoCompleteTrial("none")))

    assert "none yet" in StudyHandle(client, "digits")._repr_html_()


def test_a_handle_on_what_is_gone_says_so_and_raises_nothing(stub: Stub, client: Client) -> None:
    stub.answers(refused(StudyNotFound(f"there is no study {HOSTILE}")))

    seen = Seen(StudyHandle(client, "digits")._repr_html_())

    assert seen.tags <= TAGS
    assert seen.texts == ["digits", f" there is no study {HOSTILE}"]


class Place:
    """A cell's output that remembers what was put there. The tests have no kernel, which would come with a server."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, html: str) -> None:
        self.shown.append(html)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    """Where a cell of a notebook shows things."""
    place = Place()
    display = SimpleNamespace(HTML=str, display=lambda html, display_id: place)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None)))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return place


def test_in_a_notebook_a_study_that_is_waited_for_is_shown_in_one_place(
    stub: Stub, client: Client, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = samples.study(state=StudyState.COMPLETE, complete=40)
    stub.answers(said(samples.study()), refused(NoCompleteTrial("none")), said(ended), said(samples.best(3, 0.5)))

    last = StudyHandle(client, "digits", sleep=lambda _: None).wait()

    assert last.study == ended
    assert ["digits is running" in place.shown[0], "digits is complete" in place.shown[1]] == [True, True]
    assert len(place.shown) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shell", [None, SimpleNamespace()], ids=["no shell", "a terminal"])
def test_outside_of_a_kernel_is_no_notebook(monkeypatch: pytest.MonkeyPatch, shell: object) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    assert not notebooks.is_here()


def test_without_ipython_this_is_no_notebook() -> None:
    assert not notebooks.is_here()
