"""A study whose every word that anybody may choose is chosen by somebody who means no good."""

from typing import Any

from tests.pages.trained import Trained
from tests.pages.watched import Followed

OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
TAG = "<img src=x onerror=alert(1)>\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}"
REASON = f"</td></tr></table><script>alert('reason')</script>{OVERRIDE}<a href='https://elsewhere.invalid'>help</a>"
LINE = f"</script><script>alert('line')</script>{OVERRIDE}{{{{7*7}}}}"
KEY = "<script>alert('key')</script>"
CHOICES = [
    "<script>alert('choice')</script>",
    "<b>bold</b><a href='https://elsewhere.invalid'>x</a>",
    f"{OVERRIDE}desrever",
    "javascript:alert(1)//{{7*7}}",
    "x" * 500,
]
CHANGES: dict[str, Any] = {
    "space": {
        "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
        "words": {"type": "categorical", "choices": CHOICES},
    },
    "tags": [TAG],
}


def run(study: Followed) -> Trained:
    """Run a few trials; one of them fails, and says why."""
    failed = study.ask()
    study.client.keep_lines(failed, [LINE], first=0)
    study.client.set_attribute(failed, KEY, REASON)
    study.client.tell(failed, "error", message=REASON)
    for number in range(1, 6):
        lease = study.ask()
        study.report(lease, 1, 1 / number)
        study.complete(lease, 1 / (2 * number))
    return Trained(study.name, best=5, pruned=failed.trial)
