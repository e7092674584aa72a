"""What type checkers make of code that uses `trimtab`: mypy looks at it, and nothing runs it."""

from collections.abc import Iterator
from typing import assert_type

import pandas as pd
import polars as pl

import trimtab
from trimtab.diagnosis import Diagnosis
from trimtab.protocol import BestTrial, Counts, Study, Trial, TrialHistory


def of_a_handle(study: trimtab.StudyHandle) -> None:
    assert_type(study.state, trimtab.StudyState)
    assert_type(study.counts, Counts)
    assert_type(study.spec, trimtab.StudySpec)
    assert_type(study.best_trial(wait=5), BestTrial)
    assert_type(study.trial(7), TrialHistory)
    assert_type(study.pause(), Study)
    assert_type(study.watch(), Iterator[trimtab.Progress])
    assert_type(study.wait(), trimtab.Progress)
    assert_type(study.diagnosis(), Diagnosis)
    assert_type(study.prescribe(), trimtab.StudyHandle)
    for trial in study.trials("complete"):
        assert_type(trial, Trial)


def of_frames(study: trimtab.StudyHandle) -> None:
    assert_type(study.frame(), pd.DataFrame)
    assert_type(study.frame("pandas"), pd.DataFrame)
    assert_type(study.frame("polars"), pl.DataFrame)
    assert_type(study.curves("polars"), pl.DataFrame)
    study.frame("arrow")  # type: ignore[call-overload]  # there are two libraries


def of_studies() -> None:
    assert_type(trimtab.study("digits"), trimtab.StudyHandle)
    created = trimtab.create_study("digits", data="iris", trials=60, sampler=trimtab.TpeSampler(seed=3))
    assert_type(created, trimtab.StudyHandle)
    trimtab.create_study("digits", trials="60")  # type: ignore[arg-type]  # it is a number


def of_the_client() -> None:
    with trimtab.Client() as client:
        assert_type(client, trimtab.Client)
        assert_type(client.create_study(trimtab.StudySpec(name="digits", task=None)), Study)
    try:
        trimtab.study("digits")
    except trimtab.NotFound as error:
        assert_type(error.detail, str)
