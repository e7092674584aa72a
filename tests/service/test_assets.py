"""Scripts and styles are asked for once, and scripts find each other."""

import re
from importlib.resources import files

import httpx2
import pytest

from service.web import assets
from trimtab.errors import NotFound

STATIC = files("service.web").joinpath("static")
SCRIPTS = sorted(path.name for path in STATIC.iterdir() if path.name.endswith(".js"))
IMPORTED = re.compile(r'^import .* from "(.*)";$', re.MULTILINE)


def test_a_file_is_kept_for_ever_under_an_address_of_its_content(http: httpx2.Client) -> None:
    answer = http.get(assets.url("style.css"))

    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/000000000000/style.css", "/static/000000000000/../pages.py"])
def test_another_address_has_nothing(http: httpx2.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_what_is_no_file_of_ours_has_no_address() -> None:
    with pytest.raises(NotFound, match=r"there is no 'pages\.py'"):
        assets.url("pages.py")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_finds_the_scripts_that_it_imports(http: httpx2.Client, script: str) -> None:
    at = httpx2.URL(f"http://testserver{assets.url(script)}")

    imported = IMPORTED.findall(http.get(at).text)

    assert {name: http.get(at.join(name)).status_code for name in imported} == dict.fromkeys(imported, 200)


def test_some_script_imports_another(http: httpx2.Client) -> None:
    assert IMPORTED.findall(http.get(assets.url("live.js")).text)
