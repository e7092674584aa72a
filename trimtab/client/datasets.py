"""Data sets: put, list, read, fetch, delete."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from trimtab import answers
from trimtab.client.calls import PAGE, Calls
from trimtab.data import ColumnName
from trimtab.datasets import Dataset, TargetKind
from trimtab.errors import Damaged, DatasetNotFound, Misconfigured
from trimtab.message import Lax, Message
from trimtab.protocol import Page
from trimtab.requests import Request, dataset_path, new_key
from trimtab.validation import built

DOWNLOADS = 3
"""Of a file that arrives damaged."""


CONTENT_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".npz": "application/x-npz",
    ".tar": "application/x-tar",
}
"""What a file is, by the end of its name."""

_WAIT_SECONDS = 120.0
_BYTES_PER_SECOND = 2**20
"""The service may take so long to read a file: twice what it gives the process that does so."""


class _Wanted(Message):
    target: ColumnName | None
    kind: Annotated[TargetKind, Lax]


class DatasetCalls(Calls):
    """What there is to do with data sets."""

    def datasets(self) -> Iterator[Dataset]:
        """Return the newest version of each data set, by name, the built-in ones among them."""
        return self._items(Page[Dataset], "/v1/datasets", PAGE)

    def put_dataset(
        self, name: str, path: Path, *, target: str | None = None, kind: TargetKind | str = TargetKind.AUTO
    ) -> Dataset:
        """Put a file as the newest version of a data set. The same content again is the same version.

        Args:
            name: What to call it.
            path: A .csv, .parquet, .npz (arrays X and y) or .tar (of a folder of images, CLASS/FILE).
            target: The column that is learned, of CSV and Parquet.
            kind: `classification` or `regression`; `auto`: words, truth values and few integers are classes.

        Raises:
            Misconfigured: The file is none of those.
            Invalid: It holds nothing that can be trained on; the errors say where and why.
            DatasetBuiltIn: The name is taken by a data set that is built in.
            BodyTooLarge: The file is over the service's limit.
            OSError: It cannot be read.
        """
        kinds = built(_Wanted, {"target": target, "kind": kind})
        query = {"kind": kinds.kind.value} | ({"target": kinds.target} if kinds.target is not None else {})
        request = Request(
            "PUT",
            dataset_path(name),
            query=query,
            file=path,
            content_type=_content_type(path),
            wait=_WAIT_SECONDS + path.stat().st_size / _BYTES_PER_SECOND,
            key=new_key(),
        )
        return self._call(Dataset, request)

    def dataset(self, name: str) -> Dataset:
        """Return the newest version of a data set.

        Raises:
            DatasetNotFound: There is none of that name.
        """
        return self._call(Dataset, Request("GET", dataset_path(name)))

    def fetch_dataset(self, name: str, sha256: str, path: Path) -> None:
        """Write the file of a data set, as workers read it; it is there when it is whole.

        Args:
            name: The data set.
            sha256: Of its content, in hexadecimal.
            path: Where to. Several may fetch to it at once.

        Raises:
            DatasetNotFound: There is none of that name with that content.
            DatasetBuiltIn: It has no file.
            Forbidden: The token is a worker's, and none of its leases is trained on that; or a reader's.
            Damaged: What came is not what was put, each time.
            OSError: The file cannot be written.
        """
        request = Request("GET", f"{dataset_path(name)}/content", query={"sha256": sha256})
        for _ in range(DOWNLOADS):
            part = path.with_name(f"{path.name}.{new_key()}")
            try:
                answers.check(self._connection.download(request, part))
                if _hash_of(part) == sha256:
                    part.replace(path)
                    return
            finally:
                part.unlink(missing_ok=True)
        raise Damaged(f"the data set {name!r} arrived damaged, each time")

    def delete_dataset(self, name: str) -> None:
        """Delete every version of a data set.

        Raises:
            DatasetNotFound: There is none of that name.
            DatasetInUse: A study needs it.
            DatasetBuiltIn: It cannot be deleted.
        """
        self._delete(dataset_path(name), DatasetNotFound)


def _content_type(path: Path) -> str:
    if found := CONTENT_TYPES.get(path.suffix.lower()):
        return found
    raise Misconfigured(f"{path.name}: a data set is one of {', '.join(CONTENT_TYPES)}")


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
