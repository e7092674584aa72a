"""Requests: what the client's verbs send."""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import SupportsFloat, SupportsIndex
from uuid import uuid4

from trimtab.data import DatasetName
from trimtab.message import Message, StudyName
from trimtab.protocol import Lease
from trimtab.validation import built

Figures = Mapping[str, SupportsFloat | None]
"""Metrics by name, of anything that is a number."""

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"


@dataclass(frozen=True)
class Request:
    """One request.

    Args:
        method: Of HTTP.
        path: Below the server's URL.
        query: Likewise.
        headers: Beside those that every request has.
        body: JSON.
        file: What is sent instead of a body.
        content_type: Of the file.
        wait: Seconds that the service may hold the answer back.
        key: Makes twice the same as once; None: it is so by itself.
    """

    method: str
    path: str
    query: Mapping[str, str | int | float] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    file: Path | None = None
    content_type: str = "application/octet-stream"
    wait: float = 0.0
    key: str | None = None

    @property
    def sent_headers(self) -> dict[str, str]:
        """All headers that this request has of its own."""
        content = {"Content-Type": "application/json"} if self.body else {}
        if self.file:
            content = {"Content-Type": self.content_type, "Content-Length": str(self.file.stat().st_size)}
        return {**self.headers, **content, **({KEY: self.key} if self.key else {})}


def new_key() -> str:
    """Return a key that no other request has."""
    return uuid4().hex


class _Named(Message):
    study: StudyName


def study_path(name: str) -> str:
    """Return where a study is.

    Raises:
        Invalid: No study can have that name.
    """
    return f"/v1/studies/{built(_Named, {'study': name}).study}"


class _NamedDataset(Message):
    dataset: DatasetName


def dataset_path(name: str) -> str:
    """Return where a data set is.

    Raises:
        Invalid: No data set can have that name.
    """
    return f"/v1/datasets/{built(_NamedDataset, {'dataset': name}).dataset}"


def best_trial_request(name: str, *, etag: str | None, wait: float) -> Request:
    """Return the request for a best trial that is not `etag` any more.

    Raises:
        Invalid: No study can have that name.
    """
    headers = {"If-None-Match": etag} if etag else {}
    return Request("GET", f"{study_path(name)}/best-trial", query={"wait": wait}, headers=headers, wait=wait)


def on_lease(lease: Lease, method: str, verb: str, body: Message | None = None) -> Request:
    """Return a request on a lease; it carries the lease's fence."""
    return Request(
        method,
        f"/v1/leases/{lease.id}/{verb}",
        headers=fence_of(lease),
        body=None if body is None else body.model_dump_json(),
    )


def checkpoint_path(lease: Lease) -> str:
    """Return where the checkpoint of a lease's trial is."""
    return f"/v1/leases/{lease.id}/checkpoint"


def fence_of(lease: Lease) -> dict[str, str]:
    """Return the header that every request on a lease has."""
    return {"Trimtab-Fence": str(lease.fence)}


def whole(step: SupportsIndex | None) -> object:
    """Return a step as it goes out: an integer of numpy's as one of Python's; what is none as it is, to be refused."""
    try:
        return None if step is None else operator.index(step)
    except TypeError:
        return step


def finite(metrics: Figures) -> dict[str, float | None]:
    """Return metrics as they go out: what is not finite is None."""
    numbers = {name: math.nan if figure is None else float(figure) for name, figure in metrics.items()}
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}
