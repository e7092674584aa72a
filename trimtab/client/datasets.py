"""Data sets: put, list, read, fetch, delete."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from trimtab import answers
from trimtab.client.calls import PAGE, Calls
from trimtab.datasets import Dataset
from trimtab.errors import DatasetNotFound, Unreachable
from trimtab.protocol import Page
from trimtab.requests import Request, dataset_path, new_key

DOWNLOADS = 3
"""Of a file that arrives damaged."""


class DatasetCalls(Calls):
    """What there is to do with data sets."""

    def datasets(self) -> Iterator[Dataset]:
        """Return the newest version of each data set, by name, the built-in ones among them."""
        return self._items(Page[Dataset], "/v1/datasets", PAGE)

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
            Forbidden: The token is a worker's, and none of its leases is trained on that.
            Unreachable: What came is not what was put, each time.
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
        raise Unreachable(f"the data set {name!r} arrived damaged, each time")

    def delete_dataset(self, name: str) -> None:
        """Delete every version of a data set.

        Raises:
            DatasetNotFound: There is none of that name.
            DatasetInUse: A study needs it.
            DatasetBuiltIn: It cannot be deleted.
        """
        self._delete(dataset_path(name), DatasetNotFound)


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
