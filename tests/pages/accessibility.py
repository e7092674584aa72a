"""What keeps people from reading a page, by the rules that axe knows."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SEVERE = {"serious", "critical"}


def severe(page: Page) -> list[str]:
    """Return what is serious or critical, each with the element at fault."""
    return [
        f"{rule['id']}: {rule['help']}: {node['html']}: {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in _SEVERE
        for node in rule["nodes"]
    ]
