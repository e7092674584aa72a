"""What is made of files that are put as data sets, and what is refused of them, with its place."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.lib import format as npy
from PIL import Image
from pyarrow import parquet

from service.datasets import canonical, reading
from service.datasets.canonical import Content
from service.datasets.orders import Format, Order
from service.datasets.unfit import MOST, Unfit
from trimtab.datasets import ColumnKind, TargetKind

MOST_BYTES = 2**24
NAN = float("nan")


def read(
    folder: Path, file_format: Format, body: bytes, target: str | None = None, kind: TargetKind = TargetKind.AUTO
) -> Content:
    """Return what is made of a file."""
    path = folder / "put"
    path.write_bytes(body)
    return reading.content_of(
        Order(
            format=file_format,
            source=str(path),
            output="",
            target=target,
            kind=kind,
            most_bytes=MOST_BYTES,
            memory_bytes=0,
            cpu_seconds=0,
        )
    )


def refused(folder: Path, file_format: Format, body: bytes, target: str | None = None) -> list[tuple[str, str]]:
    """Return what is wrong with a file: fields and messages."""
    with pytest.raises(Unfit) as unfit:
        read(folder, file_format, body, target)
    return [(problem.field, problem.message) for problem in unfit.value.problems]


def table(**columns: Any) -> bytes:
    """Return a Parquet file."""
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def arrays(**given: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **given)
    return file.getvalue()


def image(width: int = 4, height: int = 3, *, mode: str = "L", kind: str = "PNG", value: int = 7) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), value if mode == "L" else (value, value + 1, value + 2)).save(file, kind)
    return file.getvalue()


def folder(files: Mapping[str, bytes]) -> bytes:
    """Return a tar of files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "NULL"])
def test_a_csv_has_numbers_words_times_and_missing_values(tmp_path: Path, missing: str) -> None:
    body = f"size,is_new,place,day,price\n1,true,town,2020-01-02,1.5\n{missing},false,{missing},1970-01-01,2\n"

    found = read(tmp_path, Format.CSV, f"{body}2.5,{missing},here,{missing},3\n".encode(), "price")

    assert [(column.name, column.kind, column.categories) for column in found.description.columns] == [
        ("size", ColumnKind.NUMBER, None),
        ("is_new", ColumnKind.NUMBER, None),
        ("place", ColumnKind.CATEGORY, 2),
        ("day", ColumnKind.TIME, None),
    ]
    expected = [[1.0, 1.0, 1577923200.0], [NAN, 0.0, 0.0], [2.5, NAN, NAN]]
    np.testing.assert_array_equal(found.arrays["numbers_ND"], expected)
    assert found.arrays["codes_NK"].tolist() == [[1], [-1], [0]]
    assert found.categories == {"place": ["here", "town"]}
    assert found.arrays["y_N"].tolist() == [1.5, 2.0, 3.0]


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        (["b", "a", "b"], "auto", ["a", "b"]),
        ([True, False, True], "auto", ["false", "true"]),
        ([10, 9, 10], "auto", ["9", "10"]),
        (list(range(21)), "auto", []),
        ([*range(21)] * 2, "classification", [str(number) for number in range(21)]),
        ([2**53, 2**53 + 1], "auto", [str(2**53), str(2**53 + 1)]),
        ([1.5, 2.0, 1.5], "auto", []),
        ([float("inf"), 2.0, 2.0], "classification", ["2", "inf"]),
        ([1.5, 2.0, 1.5], "classification", ["1.5", "2"]),
        ([1, 2, 1], "regression", []),
        (["1.5", " 2", "1e3"], "regression", []),
    ],
)
def test_words_truth_values_and_few_integers_are_classes_unless_it_is_said_otherwise(
    tmp_path: Path, values: list[Any], kind: str, labels: list[str]
) -> None:
    found = read(tmp_path, Format.PARQUET, table(x=range(len(values)), y=values), "y", TargetKind(kind))

    assert [known.label for known in found.description.classes] == labels
    back = [labels[code] for code in found.arrays["y_N"]] if labels else found.arrays["y_N"].tolist()
    shown = [str(value).lower() if isinstance(value, bool) else f"{value}".removesuffix(".0") for value in values]
    assert back == (shown if labels else [float(value) for value in values])


def test_a_parquet_file_says_itself_what_is_text(tmp_path: Path) -> None:
    codes = pa.array(["a", None, "b"]).dictionary_encode()

    found = read(tmp_path, Format.PARQUET, table(zip_code=["01", "02", "NA"], code=codes, y=[1.0, 2.0, 3.0]), "y")

    assert found.categories == {"zip_code": ["01", "02"], "code": ["a", "b"]}
    assert found.arrays["codes_NK"].tolist() == [[0, 0], [1, -1], [-1, 1]]


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@pytest.mark.parametrize("kind", [pa.timestamp, pa.duration])
@pytest.mark.parametrize(
    ("count", "unit"),
    [*((count, unit) for count in (10**13, 1 - 2**53, -1) for unit in UNITS), (2**63 - 1, "ns"), (10**18 + 9, "ns")],
)
def test_times_are_kept_however_long_they_are(tmp_path: Path, kind: Any, count: int, unit: str) -> None:
    times = pa.array([count, None, 7]).cast(kind(unit))

    found = read(tmp_path, Format.PARQUET, table(time=times, y=[1, 2, 1]), "y").arrays["numbers_ND"][:, 0]

    np.testing.assert_array_equal(found, [float(Fraction(count, UNITS[unit])), NAN, float(Fraction(7, UNITS[unit]))])


@pytest.mark.parametrize(
    ("kind", "count", "seconds"),
    [
        (pa.date32(), -(2**31), -(2.0**31) * 86_400),
        (pa.date64(), -86_400_000 * 10**9, -86_400.0 * 10**9),
        (pa.time32("s"), 86_399, 86_399.0),
        (pa.time32("ms"), 86_399_999, 86_399.999),
        (pa.time64("us"), 86_399_999_999, 86_399.999999),
        (pa.time64("ns"), 86_399_999_999_999, 86_399.999999999),
    ],
)
def test_days_and_times_of_day_are_seconds(tmp_path: Path, kind: pa.DataType, count: int, seconds: float) -> None:
    plain = pa.int32() if kind.bit_width == 32 else pa.int64()
    times = pa.array([count, None, 0], plain).cast(kind)

    found = read(tmp_path, Format.PARQUET, table(time=times, y=[1, 2, 1]), "y").arrays["numbers_ND"][:, 0]

    np.testing.assert_array_equal(found, [seconds, NAN, 0.0])


def test_equal_data_gives_equal_bytes_whatever_the_file(tmp_path: Path) -> None:
    as_text = read(tmp_path, Format.CSV, b"a,b,y\n1,x,0\n2,y,1\n3,x,1\n", "y")
    as_table = read(tmp_path, Format.PARQUET, table(a=[1, 2, 3], b=["x", "y", "x"], y=[0, 1, 1]), "y")

    for number, content in enumerate((as_text, as_table)):
        canonical.write(content, tmp_path / str(number))

    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


def test_an_archive_of_arrays_is_a_table_or_images(tmp_path: Path) -> None:
    x, y = np.array([[1.5, NAN], [2.5, 3.0]]), np.array(["b", "a"])
    pixels = np.arange(2 * 3 * 4).reshape(2, 3, 4)

    flat = read(tmp_path, Format.NPZ, arrays(X=x, y=y))
    grey = read(tmp_path, Format.NPZ, arrays(X=pixels, y=y))
    colour = read(tmp_path, Format.NPZ, arrays(X=np.stack([pixels] * 3, axis=1), y=y))

    np.testing.assert_array_equal(flat.arrays["numbers_ND"], x)
    assert flat.arrays["y_N"].tolist() == [1, 0]
    np.testing.assert_array_equal(grey.arrays["images_NCHW"], pixels[:, None])
    assert (grey.description.image, colour.description.image) == ((1, 3, 4), (3, 3, 4))
    assert colour.arrays["images_NCHW"].dtype == np.uint8


def test_a_folder_of_images_has_the_classes_of_its_folders(tmp_path: Path) -> None:
    files = {
        "./pets/dog/b.jpg": image(kind="JPEG"),
        "./pets/cat/a.png": image(value=9),
        "./pets/dog/a.PNG": image(value=3),
        "./pets/._a": b"left behind by a system",
        "./pets/.ipynb_checkpoints/b-checkpoint.png": image(value=7),
        "./pets/cat/.ipynb_checkpoints/a-checkpoint.png": image(value=9),
    }

    found = read(tmp_path, Format.TAR, folder(files))

    assert [(known.label, known.examples) for known in found.description.classes] == [("cat", 1), ("dog", 2)]
    assert found.arrays["y_N"].tolist() == [0, 1, 1]
    assert found.arrays["images_NCHW"][:, 0, 0, 0].tolist() == [9, 3, 7]
    assert found.description.image == (1, 3, 4)


def test_one_image_in_colour_makes_them_all_so(tmp_path: Path) -> None:
    found = read(tmp_path, Format.TAR, folder({"a/1.png": image(), "b/1.png": image(mode="RGB", value=1)}))

    assert found.arrays["images_NCHW"][:, :, 0, 0].tolist() == [[7, 7, 7], [1, 2, 3]]


LAST = "".join(f"{row},{row % 2}\n" for row in range(100))

CSVS = {
    "nothing": ("", "y", "body", "is empty"),
    "an empty first line": ("\na,y\n1,2\n", "y", "body", "begins with an empty line"),
    "semicolons": ("a;y\n1;2\n", "y", "body", "has ';' between its values: save it with commas"),
    "names only": ("a,y\n", "y", "body", "has no rows"),
    "no target": ("a,y\n1,2\n", None, "target", "is needed: which column is to be learned? there are a, y"),
    "another target": ("a,y\n1,2\n", "z", "target", "is no column: 'z'; there are a, y"),
    "nothing but a target": ("y\n1\n2\n", "y", "body", "no column beside the target"),
    "a column of no name": ("a,,y\n1,2,3\n", "y", "column 2", "has no name"),
    "a name twice": ("a,a,y\n1,2,3\n", "y", "column 2", "is called 'a', as column 1 is"),
    "too many columns": (",".join(f"x{n}" for n in range(10_001)) + "\n", "x1", "body", "10001 columns: at most 10000"),
    "a short row": ("a,y\n1,2\n3\n", "y", "row 2", "has 1 values: the first row has 2 names"),
    "a long row after an empty line": ("a,y\n1,2\n\n3,4,5\n", "y", "row 2", "has 3 values"),
    "a quotation mark that is not closed": (
        'y,a\n1,b\n2,"c\n1,b\n2,c\n',
        "y",
        "line 3",
        "has a quotation mark that is not closed where its value ends",
    ),
    "a quotation mark that the next one closes": ('y,a\n1,b\n2,"c\n1,b\n2,"c\n', "y", "line 3", "is not closed where"),
    "a missing target": ("a,y\n1,2\n3,NA\n", "y", "row 2, column y", "is missing"),
    "an infinite target": ("a,y\n1,2.5\n3,inf\n", "y", "row 2, column y", "trained with, or leave out the row"),
    "an infinite feature": ("a,y\n-inf,1\n3,2\n", "y", "row 1, column a", "trained with, or leave it empty"),
    "a feature beyond float32": ("a,y\n1e39,1\n3,2\n", "y", "row 1, column a", "is 1e+39, of a magnitude over 1e+38"),
    "one class": ("a,y\n1,no\n3,no\n", "y", "column y", "has one class only, 'no'"),
    "a target that never changes": ("a,y\n1,0.5\n3,0.5\n", "y", "column y", "is 0.5 in every row"),
    "a target of times": (
        "a,y\n1,2020-01-01\n3,2020-01-02\n",
        "y",
        "column y",
        "can be learned; give times as numbers",
    ),
    "a column without a value": ("a,y\n,1\nNA,2\n", "y", "column a", "has no value in any row: drop it"),
    "a word among numbers": (f"a,y\nold,1\n{LAST}", "y", "row 1, column a", "('old') is no number, as 99.0% of"),
    "a word in a target of numbers": (
        f"a,y\n5,?\n{LAST}",
        "y",
        "row 1, column y",
        "as 99.0% of the column are: mend it, or leave out the row; if they are classes: kind=classification",
    ),
    "words in a target of too many classes": (
        "a,y\n0,1\n1,old\n" + "".join(f"{row},{row}.5\n{row},w{row}\n" for row in range(600)),
        "y",
        "column y",
        "at most 1000; to learn a number: kind=regression, and mend what is none, first row 2 ('old')",
    ),
    "too many classes": (
        "a,y\n" + "".join(f"{row},w{row}\n" for row in range(1001)),
        "y",
        "column y",
        "has 1001 classes: at most 1000; to learn a number: kind=regression",
    ),
    "too many categories": (
        "a,y\n" + "".join(f"w{row},{row % 2}\n" for row in range(1001)),
        "y",
        "column a",
        "has 1001 categories: at most 1000; drop it",
    ),
}


@pytest.mark.parametrize(("text", "target", "field", "message"), CSVS.values(), ids=CSVS)
def test_a_csv_is_refused_with_the_place_that_is_wrong(
    tmp_path: Path, text: str, target: str | None, field: str, message: str
) -> None:
    ((where, what),) = refused(tmp_path, Format.CSV, text.encode(), target)

    assert where == field
    assert message in what
    assert "w0" not in what


def test_values_of_several_lines_and_with_quotation_marks_are_words(tmp_path: Path) -> None:
    body = 'size,place,y\n1,"by ""the""\nsea",a\n2,5" pipe,b\n3,"by ""the""\nsea",a\n'

    found = read(tmp_path, Format.CSV, body.encode(), "y")

    assert found.categories == {"place": ['5" pipe', 'by "the"\nsea']}
    assert found.description.examples == 3


NUMBERED = "a,y\n" + "".join(f"{row},{row // 2}.5\n" for row in range(60))


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            NUMBERED.replace(".5", ".5w"),
            "regression",
            "holds more words than numbers, such as '0.5w'",
        ),
        (
            NUMBERED + "".join(f"1,{row}.7\n" for row in range(31)),
            "classification",
            "has 61 classes, 31 of them with one",
        ),
    ],
)
def test_a_target_of_another_kind_than_is_said_is_refused_in_one_sentence(
    tmp_path: Path, text: str, kind: str, message: str
) -> None:
    with pytest.raises(Unfit, match=f"^column y {message}"):
        read(tmp_path, Format.CSV, text.encode(), "y", TargetKind(kind))


def test_many_classes_of_which_most_have_several_examples_are_taken(tmp_path: Path) -> None:
    text = NUMBERED + "".join(f"1,{row}.7\n" for row in range(30))

    assert len(read(tmp_path, Format.CSV, text.encode(), "y", TargetKind.CLASSIFICATION).description.classes) == 60


@pytest.mark.parametrize("dtype", [">i4", ">f8", np.longdouble, np.float16, ">U1", ">u8"])
def test_targets_of_an_archive_are_read_in_any_order_and_length_of_bytes(tmp_path: Path, dtype: Any) -> None:
    found = read(tmp_path, Format.NPZ, arrays(X=X, y=np.array([3, 2, 3]).astype(dtype)), kind=TargetKind.CLASSIFICATION)

    assert [known.label for known in found.description.classes] == ["2", "3"]
    assert found.arrays["y_N"].tolist() == [1, 0, 1]


def test_words_among_numbers_are_classes_where_that_is_said(tmp_path: Path) -> None:
    body = f"a,y\n5,?\n{LAST}".encode()

    found = read(tmp_path, Format.CSV, body, "y", TargetKind.CLASSIFICATION)

    assert [known.label for known in found.description.classes] == ["0", "1", "?"]


def test_a_csv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    late = "".join(f"{row},x\n" for row in range(10_000)) + "1,ä\n"

    for text, line in (("ä,y\n1,2\n", 1), (f"a,y\n{late}", 10_002)):
        ((where, what),) = refused(tmp_path, Format.CSV, text.encode("latin-1"), "y")

        assert (where, what) == (f"line {line}", "holds what is not UTF-8: save the file as UTF-8")


def test_of_very_many_problems_the_first_hundred_are_told(tmp_path: Path) -> None:
    rows = "".join("1\n" for _ in range(MOST + 50))

    found = refused(tmp_path, Format.CSV, f"a,y\n{rows}".encode(), "y")

    assert [field for field, _ in found] == [f"row {row}" for row in range(1, MOST + 1)]


def test_a_single_example_of_a_class_a_constant_and_names_that_are_numbers_are_warnings(tmp_path: Path) -> None:
    found = read(tmp_path, Format.CSV, b"1,2,3\n5,6,a\n5,7,b\n5,8,b\n", "3")

    assert [warning[:30] for warning in found.description.warnings] == [
        "the names of all columns are n",
        "class 'a' has one example: it ",
        "these columns have one value o",
    ]


def latin(*words: str) -> pa.Array:
    """Return words that some writer took for UTF-8."""
    return pa.array([word.encode("latin-1") for word in words]).view(pa.string())


PARQUETS = {
    "no Parquet": (b"a,y\n1,2\n", "body", "is no Parquet file"),
    "lists": (table(a=[[1], [2]], y=[1, 2]), "column a", "holds list"),
    "bytes": (table(a=[b"a", b"b"], y=[1, 2]), "column a", "is not UTF-8"),
    "words in another encoding": (table(a=latin("town", "caf\xe9"), y=[1, 2]), "column a", "is not UTF-8"),
    "categories in another encoding": (
        table(a=latin("town", "caf\xe9").dictionary_encode(), y=[1, 2]),
        "column a",
        "is not UTF-8",
    ),
    "classes in another encoding": (table(a=[1, 2], y=latin("town", "caf\xe9")), "column y", "is not UTF-8"),
    "nothing": (table(a=[1], y=[1]).replace(b"PAR1", b"PAR2"), "body", "is no Parquet file"),
    "much out of little": (
        table(a=np.zeros(10**6 + 5), y=np.zeros(10**6 + 5), z=np.zeros(10**6 + 5)),
        "body",
        "at most",
    ),
}


@pytest.mark.parametrize(("body", "field", "message"), PARQUETS.values(), ids=PARQUETS)
def test_a_parquet_file_is_refused_with_the_place_that_is_wrong(
    tmp_path: Path, body: bytes, field: str, message: str
) -> None:
    ((where, what),) = refused(tmp_path, Format.PARQUET, body, "y")

    assert where == field
    assert message in what


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_index_that_pandas_writes_beside_the_columns_is_warned_of(tmp_path: Path, is_kept: bool) -> None:
    file = io.BytesIO()
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 5.0], "y": ["no", "no", "no", "yes", "yes"]})
    rows[rows.a != 1].to_parquet(file, index=is_kept)

    told = " ".join(read(tmp_path, Format.PARQUET, file.getvalue(), "y").description.warnings)

    assert ("__index_level_0__; to_parquet(…, index=False) leaves it out" in told) == is_kept


def lying(shape: tuple[int, ...], data: bytes) -> bytes:
    """Return an archive whose X has a header of that shape before its data."""
    file, header, y = io.BytesIO(), io.BytesIO(), io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    np.save(y, np.arange(3))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", header.getvalue() + data)
        archive.writestr("y.npy", y.getvalue())
    return file.getvalue()


X, Y = np.ones((3, 2)), np.arange(3)
ARCHIVES = {
    "no archive": (b"nonsense", "body", "is no NPZ"),
    "other names": (arrays(data=X, y=Y), "body", "has data, y: np.savez(file, X=…, y=…)"),
    "objects": (arrays(X=np.array([{}, {}, {}]), y=Y), "X", "holds object"),
    "another length": (arrays(X=X[:2], y=Y), "y", "one value for each of the 2 examples of X"),
    "no dimensions": (arrays(X=X[:, 0], y=Y), "X", "has 1 dimensions"),
    "no columns": (arrays(X=X[:, :0], y=Y), "X", "has no columns"),
    "no rows": (arrays(X=X[:0], y=Y[:0]), "X", "has no rows"),
    "a header that says too much": (lying((10**9, 20), bytes(80)), "X", "says 160000000000 bytes, where 80 are"),
    "a header that says too little": (lying((3, 2), bytes(480)), "X", "says 48 bytes, where 480 are"),
    "much out of little": (lying((3, 10**6), bytes(24 * 10**6)), "body", "unpacks to 24000"),
    "an infinite feature": (arrays(X=np.where(X * [0, 1], np.inf, X), y=Y), "row 1, column x2", "is infinite"),
    "a missing target": (arrays(X=X, y=np.array([1, NAN, 2])), "row 2, column y", "is missing"),
    "classes that are no text": (arrays(X=X, y=np.array(["a", "caf\udce9", "b"])), "y", "is not UTF-8: rename it"),
    "images of fractions": (arrays(X=np.full((3, 2, 2), 0.5), y=Y), "row 1, column X", "whole numbers from 0 to 255"),
    "images beyond a byte": (arrays(X=np.full((3, 2, 2), 256), y=Y), "row 1, column X", "has the value 256"),
    "a table of words": (
        arrays(X=np.full((3, 2), "a"), y=Y),
        "X",
        "holds <U1: numbers are needed; words can be put as",
    ),
    "images of words": (arrays(X=np.full((3, 2, 2), "a"), y=Y), "X", "holds <U1: images are whole numbers from 0 to"),
    "images with channels of words": (arrays(X=np.full((3, 1, 2, 2), "a"), y=Y), "X", "holds <U1: images are whole"),
    "images with channels last": (arrays(X=np.ones((3, 8, 8, 3)), y=Y), "X", "X.transpose(0, 3, 1, 2)"),
}


@pytest.mark.parametrize(("body", "field", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_of_arrays_is_refused_with_the_place_that_is_wrong(
    tmp_path: Path, body: bytes, field: str, message: str
) -> None:
    where, what = refused(tmp_path, Format.NPZ, body)[0]

    assert where == field
    assert message in what


FOLDERS = {
    "no tar": (b"nonsense", "body", "is no tar archive"),
    "no images": (folder({}), "body", "has no images"),
    "a path out of its folder": (folder({"a/../../b/1.png": image()}), "'a/../../b/1.png'", "leaves its folder"),
    "a path of the root": (folder({"/a/1.png": image()}), "'/a/1.png'", "leaves its folder"),
    "no folder": (folder({"1.png": image()}), "'1.png'", "lies in no folder"),
    "a class in another encoding": (
        folder({"caf\udce9/1.png": image()}),
        r"'caf\udce9/1.png'",
        "is not UTF-8: rename it",
    ),
    "another kind of file": (folder({"a/1.gif": b""}), "'a/1.gif'", "is no .png, .jpg or .jpeg"),
    "one class": (folder({"a/1.png": image(), "a/2.png": image()}), "body", "has one class only, 'a'"),
    "another size": (
        folder({"a/1.png": image(), "b/1.png": image(5, 3)}),
        "'b/1.png'",
        "is 5 x 3, where the first is 4 x 3",
    ),
    "a text": (folder({"a/1.png": image(), "b/1.png": b"text"}), "'b/1.png'", "is broken"),
    "half an image": (folder({"a/1.png": image(), "b/1.png": image(64, 64)[:-40]}), "'b/1.png'", "is 64 x 64"),
    "an image cut short": (folder({"a/1.png": image(), "b/1.png": image()[:50]}), "'b/1.png'", "is broken"),
    "classes at two places": (folder({"x/a/1.png": image(), "y/b/1.png": image()}), "body", "in 'x' and in 'y'"),
}


@pytest.mark.parametrize(("body", "field", "message"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_of_images_is_refused_with_the_file_that_is_wrong(
    tmp_path: Path, body: bytes, field: str, message: str
) -> None:
    ((where, what),) = refused(tmp_path, Format.TAR, body)

    assert where == field
    assert message in what


TWO_IMAGES = folder({"a/1.png": image(), "b/1.png": image()})
THREE_IMAGES = folder({"a/1.png": image(), "b/1.png": image(), "b/2.png": image()})
HEADER_OF_THE_THIRD = 4 * tarfile.BLOCKSIZE


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(TWO_IMAGES[: 4 * tarfile.BLOCKSIZE], id="between two files"),
        pytest.param(THREE_IMAGES[: HEADER_OF_THE_THIRD + 100], id="in the midst of a header"),
        pytest.param(
            THREE_IMAGES[:HEADER_OF_THE_THIRD] + b"?" + THREE_IMAGES[HEADER_OF_THE_THIRD + 1 :], id="a damaged header"
        ),
    ],
)
def test_an_archive_that_does_not_come_to_its_end_is_refused(tmp_path: Path, body: bytes) -> None:
    ((where, what),) = refused(tmp_path, Format.TAR, body)

    assert where == "body"
    assert "cut off or damaged: 2 of its entries can be read" in what


def test_a_link_in_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a/1.png")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)

    assert refused(tmp_path, Format.TAR, file.getvalue()) == [("'a/1.png'", "is no file but a link or a device")]


def test_what_is_for_tables_is_refused_of_images(tmp_path: Path) -> None:
    body = folder({"a/1.png": image(), "b/1.png": image()})

    assert refused(tmp_path, Format.TAR, body, "y")[0][0] == "target"
    with pytest.raises(Unfit, match="kind cannot be regression"):
        read(tmp_path, Format.TAR, body, kind=TargetKind.REGRESSION)
