"""What clients, workers and the service say to each other: ask, report, tell, and the answers to readers."""

from trimtab.protocol.health import PROTOCOL, PROTOCOL_HEADER, Health, Version
from trimtab.protocol.leases import (
    MAX_LEASES,
    MAX_REPORTS,
    MAX_WAIT_SECONDS,
    SHA256,
    Ask,
    Checkpoint,
    Fence,
    Label,
    Lease,
    LeaseReport,
    LeaseReports,
    Leases,
    Report,
    Tell,
    Told,
    Verdict,
    Verdicts,
    Wait,
)
from trimtab.protocol.pages import Page
from trimtab.protocol.problems import FieldProblem, Problem
from trimtab.protocol.studies import Alarm, ChosenSampler, Counts, Round, Study, StudyChange, Used
from trimtab.protocol.tokens import MadeToken, NewToken, Token
from trimtab.protocol.trials import Attempt, BestTrial, RecordedReport, Trial, TrialHistory
from trimtab.protocol.workers import HeldTrial, Worker

__all__ = [
    "MAX_LEASES",
    "MAX_REPORTS",
    "MAX_WAIT_SECONDS",
    "PROTOCOL",
    "PROTOCOL_HEADER",
    "SHA256",
    "Alarm",
    "Ask",
    "Attempt",
    "BestTrial",
    "Checkpoint",
    "ChosenSampler",
    "Counts",
    "Fence",
    "FieldProblem",
    "Health",
    "HeldTrial",
    "Label",
    "Lease",
    "LeaseReport",
    "LeaseReports",
    "Leases",
    "MadeToken",
    "NewToken",
    "Page",
    "Problem",
    "RecordedReport",
    "Report",
    "Round",
    "Study",
    "StudyChange",
    "Tell",
    "Token",
    "Told",
    "Trial",
    "TrialHistory",
    "Used",
    "Verdict",
    "Verdicts",
    "Version",
    "Wait",
    "Worker",
]
