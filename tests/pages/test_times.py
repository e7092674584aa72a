from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.pages.browsing import Windows
from tests.pages.trained import Trained
from trimtab.client import Client


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles"])
def test_a_time_is_shown_in_the_readers_zone(windows: Windows, client: Client, trained: Trained, zone: str) -> None:
    created: datetime = client.study(trained.name).created_at

    page = windows.open("/", timezone_id=zone)

    there = created.astimezone(ZoneInfo(zone))
    expect(page.locator(f'time[datetime^="{created:%Y-%m-%dT%H:%M:%S}"]').first).to_contain_text(f"{there:%H:%M}")
