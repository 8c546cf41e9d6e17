from __future__ import annotations

import itertools

import numpy as np
import pytest

from medssl_bench.datasets.phantoms import findings
from medssl_bench.datasets.phantoms.random_rows import Draws


@pytest.fixture
def draws():
    return Draws(np.random.default_rng(0), 400)


@pytest.mark.parametrize("disease", range(len(findings.DISEASES)))
def test_a_disease_shows_its_findings(draws, disease):
    severity = findings.severity_of_diseases(np.full(400, disease), draws)

    chance = findings.DISEASES[disease].chance
    assert (severity > 0).mean(axis=0) == pytest.approx(chance, abs=0.08)
    assert severity.max() <= 1
    for column, least in zip(severity.T, findings.DISEASES[disease].least, strict=True):
        assert (column[column > 0] >= least).all()


def test_every_disease_has_a_finding_that_tells_it_from_the_normal():
    assert [max(d.chance) for d in findings.DISEASES] == [1.0, 1.0, 1.0, 0.0]
    assert findings.DISEASES[findings.NORMAL].name == "normal"
    assert sum(findings.DISEASE_SHARES) == pytest.approx(1)
    assert sum(findings.GRADE_SHARES) == pytest.approx(1)


def test_findings_are_there_where_the_labels_say(draws):
    present = np.random.default_rng(1).integers(0, 2, (400, 4))

    np.testing.assert_array_equal(findings.severity_of_findings(present, draws) > 0, present == 1)


def test_grades_are_drusen_of_rising_severity_that_do_not_overlap(draws):
    grades = np.arange(400) % 4
    severity = findings.severity_of_grades(grades, draws)

    assert not severity[:, : findings.DRUSEN].any()
    by_grade = [severity[grades == g, findings.DRUSEN] for g in range(4)]
    assert by_grade[0].max() == 0
    for lower, higher in itertools.pairwise(by_grade):
        assert lower.max() < higher.min()
