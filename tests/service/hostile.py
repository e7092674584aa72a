"""What nobody means well with: bodies, words and whole requests. Each is to be refused."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote_from_bytes

MEBIBYTE = 2**20
JSON = {"Content-Type": "application/json"}
FORGED = "2026-01-01 00:00:00,000 ERROR service forged"

WORDS: dict[str, bytes] = {
    "a way out of a folder": b"../../../../etc/passwd",
    "the same for Windows": b"..\\..\\windows\\win.ini",
    "the same, quoted twice": b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "a folder above": b"..",
    "SQL": b"x'; DROP TABLE trimtab_studies; --",
    "SQL of a number": b"1 OR 1=1",
    "a line of the log": f"x\r\n{FORGED}".encode(),
    "NUL": b"x\0y",
    "a colour of the terminal": b"\x1b[2J\x1b[31mx",
    "from right to left": "x\u202eys\u2066".encode(),
    "half a character": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe\xc0\xaf",
    "digits of another script": "١٢٣".encode(),
    "a template": b"${jndi:ldap://127.0.0.1/x}{{7*7}}%s%n",
    "too many digits": b"9" * 5_000,
    "too many letters": b"x" * 20_000,
}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@dataclass(frozen=True)
class Body:
    """What is sent for a body."""

    content: bytes
    headers: dict[str, str]


@cache
def bodies() -> tuple[tuple[str, Body], ...]:
    """Return what no route takes, by what is wrong with it."""
    return tuple(_bodies())


def _bodies() -> Iterator[tuple[str, Body]]:
    for name, content in _contents():
        yield name, Body(content, JSON)
    valid = b'{"name": "planted", "task": {"name": "mlp"}}'
    for kind in ("text/plain", "text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"):
        yield kind, Body(valid, {"Content-Type": kind})
    yield "no type", Body(valid, {})
    # Ten mebibytes of nothing in ten kilobytes. Nothing is unpacked, so it is not JSON.
    bomb = b"[" + b" " * (10 * MEBIBYTE) + b"]"
    yield "gzip", Body(gzip.compress(bomb), JSON | {"Content-Encoding": "gzip"})
    yield "deflate", Body(zlib.compress(bomb), JSON | {"Content-Encoding": "deflate"})


def _contents() -> Iterator[tuple[str, bytes]]:
    yield "deep lists", b"[" * MEBIBYTE
    yield "deep objects", b'{"a":' * (MEBIBYTE // 5)
    yield "deep and closed", b"[" * 500_000 + b"]" * 500_000
    yield "a million keys", _json({str(number): 0 for number in range(1_000_000)})
    yield "as many keys as fit", _json({str(number): 0 for number in range(80_000)})
    yield "as many items as fit", _json([0] * 340_000)
    yield "a number of a million digits", b'{"name": ' + b"9" * 1_000_000 + b"}"
    yield "an exponent beyond all", b'{"name": 1e999999999}'
    yield "not a number", b'{"name": NaN, "task": Infinity}'
    yield "NUL", b'{"name": "a\0b"}'
    yield "NUL, escaped", _json({"name": "a\0b", "worker": "a\0b"})
    yield "half a character", b'{"name": "\\ud800", "worker": "\\udfff"}'
    yield "half a character for a key", b'{"\\ud800": 1}'
    yield "from right to left", _json({"name": "a\u202eb", "worker": "a\u202eb"})
    yield "a key twice", b'{"name": "a", "name": "b"}'
    yield "UTF-16", '{"name": "planted"}'.encode("utf-16")
    yield "a mark of its order", b'\xef\xbb\xbf{"name": "planted"}'
    yield "two bodies", b'{"name": "planted"}{"name": "planted"}'
    yield "pickle", b"\x80\x04cposix\nsystem\n."
    for name, words in WORDS.items():
        text = words.decode(errors="surrogateescape")
        yield f"{name}, for names", _json(dict.fromkeys(("name", "worker", "study", "lease", "outcome", "kind"), text))
        yield f"{name}, for a field", _json({text: text})


def quoted(words: bytes) -> str:
    """Return words as they stand in a URL."""
    return quote_from_bytes(words, safe="")


def routes(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each method and path of the API, with what its description says."""
    for path, verbs in description["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


REQUESTS: dict[str, bytes] = {
    "a head of ten mebibytes": b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: " + b"x" * (10 * MEBIBYTE),
    "a hundred thousand headers": b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + b"X: x\r\n" * 100_000 + b"\r\n",
    "a path of ten mebibytes": b"GET /" + b"x" * (10 * MEBIBYTE) + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "a length below zero": b"POST /v1/studies HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /v1/studies HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}",
    "a length and chunks": b"POST /v1/studies HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk beyond all": b"POST /v1/studies HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"FFFFFFFFFFFFFFFFF\r\nx",
    "a header of two lines": b"GET /v1/studies HTTP/1.1\r\nHost: h\r\nX: a\r\n b\x00\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "another scheme": b"GET gopher://127.0.0.1/ HTTP/1.1\r\nHost: h\r\n\r\n",
}
