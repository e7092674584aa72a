"""What a worker decides without a service, a child process or a device."""

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from trimtab import patience
from trimtab.errors import Misconfigured, Unavailable, Unreachable
from trimtab.message import WorkerName
from trimtab.names import worker_name
from trimtab.patience import pauses
from workers import devices
from workers.activity import Activity
from workers.drain import Drain
from workers.messages import clipped, from_child
from workers.patience import patiently
from workers.settings import Settings

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("wanted", "slot", "cuda_devices", "device"),
    [
        ("auto", 0, 0, "cpu"),
        ("auto", 3, 2, "cuda:1"),
        ("auto", 1, 1, "cuda:0"),
        ("cpu", 0, 2, "cpu"),
        ("cuda:1", 0, 2, "cuda:1"),
    ],
)
def test_slots_are_spread_over_the_devices_there_are(wanted: str, slot: int, cuda_devices: int, device: str) -> None:
    assert devices.device_of(wanted, slot=slot, cuda_devices=cuda_devices) == device


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(Misconfigured, match="--device cuda:2 is not here: there are 2 CUDA devices"):
        devices.device_of("cuda:2", slot=0, cuda_devices=2)


def test_where_there_is_no_device_at_all_it_is_said_where_to_look() -> None:
    with pytest.raises(Misconfigured, match=r"PyTorch sees no CUDA device\. Does nvidia-smi show one"):
        devices.device_of("cuda:0", slot=0, cuda_devices=0)


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:", "cuda:-1", "cuda:0 ", "CPU", ""])
def test_what_is_no_device_is_refused(device: str) -> None:
    with pytest.raises(Misconfigured, match="--device is auto, cpu, or cuda:0"):
        devices.checked(device)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--slots", "0"],
        ["--slots", "1.5"],
        ["--slots", "257"],
        ["--exit-when-idle", "nan"],
        ["--exit-when-idle", "0"],
        ["--device", "gpu"],
        ["--allow", "my_task.py"],
        ["--allow", "my task:build"],
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        Settings.from_arguments(arguments, {})

    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err.splitlines()[-1]


def test_a_worker_allows_no_tasks_but_those_that_it_is_told_to() -> None:
    told = ["--allow", "mine:build", "--allow", "our.tasks:Wide"]

    given, left_out = (Settings.from_arguments(arguments, {}) for arguments in (told, []))

    assert (given.allowed, left_out.allowed) == (("mine:build", "our.tasks:Wide"), ())


def test_the_time_between_checkpoints_is_a_setting() -> None:
    given, left_out = (Settings.from_arguments([], each) for each in ({"TRIMTAB_CHECKPOINT_SECONDS": "2.5"}, {}))

    assert (given.checkpoint_seconds, left_out.checkpoint_seconds) == (2.5, 60)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_between_checkpoints_that_is_none_is_refused(seconds: str) -> None:
    with pytest.raises(Misconfigured, match=f"TRIMTAB_CHECKPOINT_SECONDS is a number above 0.*: '{seconds}'"):
        Settings.from_arguments([], {"TRIMTAB_CHECKPOINT_SECONDS": seconds})


@pytest.mark.parametrize("host", ["gpu0", "gpu0.example.org", "-odd", "Jürgens Rechner", "", "x" * 300])
def test_every_host_gives_a_name_that_the_service_takes(host: str) -> None:
    name = worker_name(host, 4_194_304)

    assert TypeAdapter(WorkerName).validate_python(name).endswith("-4194304")


def test_pauses_grow_to_a_limit_and_differ_from_worker_to_worker() -> None:
    found, other = list(islice(pauses(random.Random(0)), 20)), list(islice(pauses(random.Random(1)), 20))

    assert patience.FIRST_PAUSE_SECONDS / 2 <= found[0] <= patience.FIRST_PAUSE_SECONDS
    assert all(patience.LONGEST_PAUSE_SECONDS / 2 <= seconds <= patience.LONGEST_PAUSE_SECONDS for seconds in found[6:])
    assert found != other


class Away:
    """A service that is away for the first calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise Unavailable("the database is away") if self.left % 2 else Unreachable("connection refused")
        return "answer"


class Hasty(Drain):
    """Does not wait."""

    def wait(self, seconds: float) -> None:
        pass


def test_a_service_that_is_away_is_asked_until_it_answers() -> None:
    assert patiently(Away(calls=50), Hasty()) == "answer"


def test_a_worker_that_drains_tries_once() -> None:
    drain, away = Hasty(), Away(calls=50)
    drain.begin()

    with pytest.raises(Unreachable):
        patiently(Away(calls=1), drain)
    with pytest.raises(Unavailable):
        patiently(away, drain)

    assert away.left == 49


def test_a_service_that_was_never_there_is_given_up() -> None:
    with pytest.raises(Unreachable):
        patiently(Away(calls=1), Hasty(), for_seconds=0)


def test_a_worker_is_idle_when_no_slot_has_work() -> None:
    activity = Activity(2)

    starting = activity.idle_seconds
    activity.idle(0)
    one_has_work = activity.idle_seconds
    activity.idle(1)
    idle = activity.idle_seconds
    activity.idle(1)  # after another ask in vain
    still_idle = activity.idle_seconds
    activity.busy(0)

    assert starting == one_has_work == activity.idle_seconds == 0
    assert 0 < idle < still_idle


@pytest.mark.parametrize("said", [b"", b"{}", b'{"kind": "ready"}', b'{"kind": "told"}', b"\x80\x04N."])
def test_what_no_child_says_is_not_taken_for_a_message(said: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        from_child(said)


def test_a_message_fits_into_the_record() -> None:
    assert clipped("a NUL \x00") == "a NUL \\0"
    assert len(clipped("x" * 100_000)) == 2000


def test_the_worker_itself_does_not_import_torch() -> None:
    code = "import sys, workers.__main__; sys.exit('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False)

    assert done.returncode == 0
