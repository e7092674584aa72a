"""A caller that shows the whole of each answer, and writes down what is said of leases."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.reliability.journal import Ended, Entry, Leased, Reported, Sent, Suggested
from tests.service.specs import METRIC
from trimtab import protocol
from trimtab.message import Metrics

Answer = tuple[int, Any]
"""The status and the body, without what differs from run to run."""

Lease = dict[str, Any]

OK = 200

_FLEETING = {"at", "expires_at", "created_at", "completed_at", "id", "token", "started_at", "used"}
_STATE = b"state"


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the service, and writes down what is said.

    Args:
        http: How.
        journal: What was sent and heard of leases.
    """

    http: httpx2.Client
    journal: list[Entry] = field(default_factory=list)

    def send(
        self, method: str, path: str, content: Any = None, *, lease: Lease | None = None, key: str | None = None
    ) -> Answer:
        status, answer = self._send(method, path, content, lease=lease, key=key)
        return status, _lasting(answer)

    def ask(self, *, count: int = 1, key: str | None = None, study: str = "study") -> Answer:
        status, answer = self._send("POST", "/v1/leases", {"worker": "w", "study": study, "count": count}, key=key)
        for lease in answer.get("leases", []):
            given = protocol.Lease.model_validate_json(json.dumps(lease))
            self.journal.append(Leased.of(given, worker="w"))
        return status, _lasting(answer)

    def lease(self, study: str = "study") -> Lease:
        """Get one trial."""
        self.ask(study=study)
        given = self.journal[-1]
        assert isinstance(given, Leased)
        return {"id": str(given.lease), "fence": given.fence, "trial": given.trial}

    def report(self, lease: Lease, step: int, error: float, *, key: str | None = None) -> Answer:
        content = {"step": step, "metrics": {METRIC: error}}
        sent = Sent(int(lease["id"]), step, {METRIC: error})
        self.journal.append(sent)
        status, answer = self.send("POST", f"/v1/leases/{lease['id']}/reports", content, lease=lease, key=key)
        if status == OK:
            self.journal.append(Reported(sent.lease, step, sent.metrics, answer["verdict"], answer["recorded"]))
        return status, answer

    def tell(self, lease: Lease, outcome: str, *, key: str | None = None) -> Answer:
        metrics: Metrics = {METRIC: 0.5}
        content = {"outcome": outcome, "metrics": metrics}
        status, answer = self.send("PUT", f"/v1/leases/{lease['id']}/result", content, lease=lease, key=key)
        if status == OK:
            self.journal.append(Ended(int(lease["id"]), answer["outcome"], answer["state"], metrics))
        return status, answer

    def heartbeat(self, lease: Lease, *, key: str | None = None) -> Answer:
        return self.send("POST", f"/v1/leases/{lease['id']}/heartbeat", lease=lease, key=key)

    def keep_lines(self, lease: Lease, *, key: str | None = None) -> Answer:
        written = {"first": 2_999, "lines": ["kept", "kept too"]}
        return self.send("POST", f"/v1/leases/{lease['id']}/logs", written, lease=lease, key=key)

    def suggest(self, lease: Lease, name: str, parameter: dict[str, Any], *, key: str | None = None) -> Answer:
        path = f"/v1/leases/{lease['id']}/suggestions"
        status, answer = self.send("POST", path, {"name": name, **parameter}, lease=lease, key=key)
        if status == OK:
            self.journal.append(Suggested(int(lease["id"]), name, answer["value"]))
        return status, answer

    def put_attribute(self, lease: Lease, value: object, *, key: str | None = None) -> Answer:
        return self.send("PUT", f"/v1/leases/{lease['id']}/attributes/a", {"value": value}, lease=lease, key=key)

    def put_checkpoint(self, lease: Lease, step: int) -> Answer:
        path = f"/v1/leases/{lease['id']}/checkpoint?step={step}&sha256={hashlib.sha256(_STATE).hexdigest()}"
        return self.send("PUT", path, _STATE, lease=lease)

    def put_model(self, lease: Lease) -> Answer:
        path = f"/v1/leases/{lease['id']}/model?sha256={hashlib.sha256(_STATE).hexdigest()}"
        return self.send("PUT", path, _STATE, lease=lease)

    def put_dataset(self, *, key: str | None = None) -> Answer:
        path = "/v1/datasets/ours?target=y"
        status, answer = self._send("PUT", path, b"x,y\n1,2.5\n2,3.5\n", kind="text/csv", key=key)
        return status, _lasting(answer)

    def _send(
        self,
        method: str,
        path: str,
        content: Any,
        *,
        lease: Lease | None = None,
        key: str | None = None,
        kind: str | None = None,
    ) -> Answer:
        headers = {"Trimtab-Fence": str(lease["fence"])} if lease else {}
        headers |= {"Content-Type": kind} if kind else {}
        headers |= {"Idempotency-Key": key} if key else {}
        raw = {"content": content} if isinstance(content, bytes) else {"json": content}
        answer = self.http.request(method, path, headers=headers, **raw)
        return answer.status_code, json.loads(answer.content) if answer.content else None


def _lasting(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _lasting(value) for name, value in content.items() if name not in _FLEETING}
    return [_lasting(value) for value in content] if isinstance(content, list) else content
