"""Every call that writes: what has to be there before it, and the call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reliability.caller import Answer, Caller, Lease
from tests.service.runs import EAGER
from tests.service.specs import METRIC, body

Prepare = Callable[[Caller], Any]
Act = Callable[[Caller, Any], Answer]


@dataclass(frozen=True)
class Scenario:
    """A call.

    Args:
        prepare: Makes what has to be there, and returns what the call needs of it.
        act: The call: the same each time that it is sent.
        gone: What the call answers instead where an earlier try took effect.
    """

    prepare: Prepare
    act: Act
    gone: int | None = None


def _study(caller: Caller, **changes: Any) -> None:
    caller.send("POST", "/v1/studies", body(pruner=EAGER, **changes))


def _other(caller: Caller) -> None:
    caller.send("POST", "/v1/studies", body("other"))
    for x in (0.25, 0.5):
        trial = {"params": {"x": x}, "state": "complete", "metrics": {METRIC: x}}
        caller.send("POST", "/v1/studies/other/trials", trial)


def _one_complete(caller: Caller) -> None:
    _study(caller)
    lease = caller.lease()
    caller.report(lease, 1, 0.5)
    caller.tell(lease, "complete")


def _new(caller: Caller) -> Lease:
    _one_complete(caller)
    return caller.lease()


def _running(caller: Caller) -> Lease:
    lease = _new(caller)
    caller.report(lease, 1, 0.25)
    return lease


def _stopped(caller: Caller) -> Lease:
    lease = _new(caller)
    caller.report(lease, 1, 0.75)
    return lease


def _last(caller: Caller) -> Lease:
    _study(caller, budget={"trials": 1})
    lease = caller.lease()
    caller.report(lease, 1, 0.25)
    return lease


def _two_running(caller: Caller) -> list[Lease]:
    _one_complete(caller)
    return [caller.lease(), caller.lease()]


def _behind(caller: Caller) -> Lease:
    """A lease whose replica does not know yet that another trial has ended."""
    _one_complete(caller)
    lease, other = caller.lease(), caller.lease()
    caller.tell(other, "complete")
    return lease


def _searched(caller: Caller) -> None:
    """A study of a task of which two trials are complete."""
    space = {"learning_rate": {"type": "float", "low": 0.001, "high": 1.0}}
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    caller.send("POST", "/v1/studies", body(task=task, space=space, objectives=[{"metric": "validation_error"}]))
    for error in (0.25, 0.5):
        trial = {"params": {"learning_rate": error}, "state": "complete", "metrics": {"validation_error": error}}
        caller.send("POST", "/v1/studies/study/trials", trial)


def _final(caller: Caller) -> Lease:
    """The lease of a final model."""
    _searched(caller)
    caller.send("POST", "/v1/studies/study/final", {})
    return caller.lease("study.final")


def confirmed(caller: Caller) -> None:
    """A study whose final model is due: its confirmation has ended."""
    _searched(caller)
    caller.send("POST", "/v1/studies/study/final", {"confirm": {"top": 1, "repeats": 2}})
    lease = caller.lease("study.confirmation")
    told = {"outcome": "complete", "metrics": {"validation_error": 0.25}}
    caller.send("PUT", f"/v1/leases/{lease['id']}/result", told, lease=lease)
    caller.journal.clear()


def _ill(caller: Caller) -> None:
    """A study of high variance, for which the doctor prescribes."""
    space = {"learning_rate": {"type": "float", "low": 0.001, "high": 1.0}}
    task = {"name": "mlp", "data": {"dataset": "iris"}}
    caller.send("POST", "/v1/studies", body(task=task, space=space, objectives=[{"metric": "validation_error"}]))
    metrics = {"training_error": 0.0, "validation_error": 0.5}
    trial = {"params": {"learning_rate": 0.5}, "state": "complete", "metrics": metrics}
    caller.send("POST", "/v1/studies/study/trials", trial)


def _waiting(caller: Caller) -> None:
    lease = _running(caller)
    caller.put_checkpoint(lease, 1)
    caller.report(lease, 2, 0.25)
    caller.tell(lease, "released")


def _enqueued(caller: Caller) -> None:
    _running(caller)
    caller.send("POST", "/v1/studies/study/trials", {"params": {"x": 0.5}})


X: dict[str, Any] = {"type": "float", "low": 0.0, "high": 1.0}


def _without_space(caller: Caller) -> Lease:
    """The lease of a trial that has been suggested `x`, of a study whose trials say what they search."""
    _study(caller, space=None)
    lease = caller.lease()
    caller.suggest(lease, "x", X)
    return lease


def _next_without_space(caller: Caller) -> Lease:
    """That of the next trial, which was suggested nothing."""
    _without_space(caller)
    return caller.lease()


def _given_without_space(caller: Caller) -> Lease:
    _without_space(caller)
    caller.send("POST", "/v1/studies/study/trials", {"params": {"x": 0.5}})
    return caller.lease()


def _suggest(name: str, **key: str) -> Act:
    return lambda caller, lease: caller.suggest(lease, name, X, **key)


def _limited(**limits: float) -> Prepare:
    """A study of this budget, where two trials run, one of them with a report, and one waits."""

    def prepare(caller: Caller) -> Lease:
        _study(caller, budget=limits)
        lease, released = caller.lease(), caller.lease()
        caller.tell(released, "released")
        caller.lease()
        caller.send("POST", "/v1/studies/study/trials", {"params": {"x": 0.5}})
        caller.report(lease, 1, 0.25)
        return lease

    return prepare


def _met(caller: Caller) -> None:
    _study(caller, budget={"target": 0.5})
    caller.tell(caller.lease(), "complete")


def _ending(caller: Caller) -> Lease:
    _study(caller, budget={"target": 0.5})
    lease, last = caller.lease(), caller.lease()
    caller.tell(lease, "complete")
    return last


def _limit(**limits: float) -> Act:
    return lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"budget": limits})


def _paused(caller: Caller) -> None:
    _running(caller)
    caller.send("PATCH", "/v1/studies/study", {"state": "paused"})


def _token(caller: Caller) -> str:
    answer = caller.http.post("/v1/tokens", json={"kind": "worker", "name": "pool"})
    token_id: str = answer.json()["id"]
    return token_id


def _delete(caller: Caller, _: Lease) -> Answer:
    caller.journal.clear()  # Nothing of it need be on record any more.
    return caller.send("DELETE", "/v1/studies/study")


def _ask(count: int) -> Act:
    return lambda caller, _: caller.ask(count=count, key="k")


def _many(caller: Caller, leases: list[Lease]) -> Answer:
    reports = [
        {"lease": lease["id"], "fence": lease["fence"], "step": 1, "metrics": {METRIC: error}}
        for lease, error in zip(leases, (0.25, 0.75), strict=True)
    ]
    return caller.send("POST", "/v1/reports", {"reports": reports}, key="k")


def _given(trial: dict[str, Any]) -> Act:
    return lambda caller, _: caller.send("POST", "/v1/studies/study/trials", trial, key="k")


def _told(outcome: str, key: str | None = None) -> Act:
    return lambda caller, lease: caller.tell(lease, outcome, key=key)


def _nothing(_: Caller) -> None:
    return None


SCENARIOS: dict[str, Scenario] = {
    "create study": Scenario(_nothing, lambda caller, _: caller.send("POST", "/v1/studies", body(), key="k")),
    "create a study that starts from another": Scenario(
        _other, lambda caller, _: caller.send("POST", "/v1/studies", body(warm_start={"study": "other"}), key="k")
    ),
    "delete study": Scenario(_running, _delete, gone=404),
    "delete a study with its final model": Scenario(_final, _delete, gone=404),
    "change tags and priority": Scenario(
        _running,
        lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"tags": ["a", "b"], "priority": -1}),
    ),
    "pause study": Scenario(_running, lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"state": "paused"})),
    "resume study": Scenario(
        _paused, lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"state": "running"})
    ),
    "stop study": Scenario(_running, lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"state": "stopped"})),
    "change the budget": Scenario(
        _running, lambda caller, _: caller.send("PATCH", "/v1/studies/study", {"budget": {"trials": 20}})
    ),
    "limit the epochs": Scenario(_limited(trials=10), _limit(epochs=5)),
    "limit the epochs to those reported": Scenario(_limited(trials=10), _limit(epochs=1)),
    "reopen a study that met its target": Scenario(_met, _limit(target=0.25)),
    "report the last epoch": Scenario(_limited(epochs=2), lambda caller, lease: caller.report(lease, 2, 0.25)),
    "report beyond the epochs": Scenario(_limited(epochs=1), lambda caller, lease: caller.report(lease, 2, 0.25)),
    "tell what meets the target": Scenario(_limited(target=0.5), _told("complete")),
    "tell the last of a study that comes to its end": Scenario(_ending, _told("pruned")),
    "ask a study that comes to its end": Scenario(_ending, _ask(1)),
    "add a trial that meets the target": Scenario(
        _limited(target=0.25),
        _given({"params": {"x": 0.5}, "state": "complete", "metrics": {METRIC: 0.125}}),
    ),
    "stop a trial": Scenario(
        _running, lambda caller, _: caller.send("POST", "/v1/studies/study/trials/1/stop", key="k")
    ),
    "stop a trial that waits": Scenario(
        _waiting, lambda caller, _: caller.send("POST", "/v1/studies/study/trials/1/stop", key="k")
    ),
    "enqueue a trial": Scenario(_running, _given({"params": {"x": 0.5}})),
    "enqueue a trial that is completed by chance": Scenario(_running, _given({"params": {}})),
    "add a finished trial": Scenario(
        _running,
        _given(
            {
                "params": {"x": 0.5},
                "state": "complete",
                "metrics": {METRIC: 0.125},
                "curve": [{"step": 1, "metrics": {METRIC: 0.5}}],
            }
        ),
    ),
    "ask for an enqueued trial": Scenario(_enqueued, _ask(1)),
    "stop an enqueued trial": Scenario(
        _enqueued, lambda caller, _: caller.send("POST", "/v1/studies/study/trials/2/stop", key="k")
    ),
    "ask": Scenario(_one_complete, _ask(1)),
    "ask for three": Scenario(_one_complete, _ask(3)),
    "ask for a trial that waits": Scenario(_waiting, _ask(1)),
    "report": Scenario(_running, lambda caller, lease: caller.report(lease, 2, 0.25)),
    "report with a key": Scenario(_running, lambda caller, lease: caller.report(lease, 2, 0.25, key="k")),
    "report and be stopped": Scenario(_new, lambda caller, lease: caller.report(lease, 1, 0.75)),
    "report after another ended": Scenario(_behind, lambda caller, lease: caller.report(lease, 1, 0.25)),
    "report many": Scenario(_two_running, _many),
    "heartbeat": Scenario(_running, lambda caller, lease: caller.heartbeat(lease, key="k")),
    "suggest what no trial asked for": Scenario(_next_without_space, _suggest("y")),
    "suggest what no trial asked for, with a key": Scenario(_next_without_space, _suggest("y", key="k")),
    "suggest what another trial asked for": Scenario(_next_without_space, _suggest("x")),
    "suggest what another trial asked for, with a key": Scenario(_next_without_space, _suggest("x", key="k")),
    "suggest again": Scenario(_without_space, _suggest("x")),
    "suggest what was given": Scenario(_given_without_space, _suggest("x")),
    "ask for a trial without params": Scenario(_without_space, _ask(2)),
    "enqueue a trial without params of its own": Scenario(_without_space, _given({"params": {"x": 0.5}})),
    "add a finished trial with parameters": Scenario(
        _without_space,
        _given({"params": {"y": 0.5}, "state": "complete", "metrics": {METRIC: 0.125}, "parameters": {"y": X}}),
    ),
    "put an attribute": Scenario(_running, lambda caller, lease: caller.put_attribute(lease, [1, None])),
    "put an attribute with a key": Scenario(_running, lambda caller, lease: caller.put_attribute(lease, 1, key="k")),
    "tell complete": Scenario(_running, _told("complete")),
    "tell complete with a key": Scenario(_running, _told("complete", "k")),
    "tell the last of the budget": Scenario(_last, _told("complete")),
    "tell pruned": Scenario(_stopped, _told("pruned")),
    "tell an error": Scenario(_running, _told("error")),
    "tell released": Scenario(_running, _told("released")),
    "keep lines": Scenario(_running, lambda caller, lease: caller.keep_lines(lease, key="k")),
    "keep lines without a key": Scenario(_running, lambda caller, lease: caller.keep_lines(lease)),
    "put a checkpoint": Scenario(_running, lambda caller, lease: caller.put_checkpoint(lease, 1)),
    "check gradients": Scenario(
        _searched, lambda caller, _: caller.send("POST", "/v1/studies/study/checks", {}, key="k")
    ),
    "put a model": Scenario(_final, lambda caller, lease: caller.put_model(lease)),
    "make a final model": Scenario(
        _searched, lambda caller, _: caller.send("POST", "/v1/studies/study/final", {}, key="k")
    ),
    "confirm and make a final model": Scenario(
        _searched, lambda caller, _: caller.send("POST", "/v1/studies/study/final", {"confirm": {"top": 2}}, key="k")
    ),
    "prescribe": Scenario(_ill, lambda caller, _: caller.send("POST", "/v1/studies/study/prescriptions", {}, key="k")),
    "put a data set": Scenario(_nothing, lambda caller, _: caller.put_dataset(key="k")),
    "delete a data set": Scenario(
        lambda caller: caller.put_dataset(), lambda caller, _: caller.send("DELETE", "/v1/datasets/ours"), gone=404
    ),
    "make a token": Scenario(
        _nothing,
        lambda caller, _: caller.send("POST", "/v1/tokens", {"kind": "user", "name": "ann"}, key="k"),
        gone=409,
    ),
    "revoke a token": Scenario(
        _token, lambda caller, token_id: caller.send("DELETE", f"/v1/tokens/{token_id}"), gone=404
    ),
}
