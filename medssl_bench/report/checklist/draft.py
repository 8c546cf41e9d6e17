"""A draft for a reporting guideline: what records tell is filled in, all else is the author's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.report.checklist.data import about_data
from medssl_bench.report.checklist.evaluation import about_evaluation
from medssl_bench.report.checklist.topics import Section, Topic
from medssl_bench.report.page.what_was_run import ARM_HEADS, RECIPE_HEADS, WhatWasRun
from medssl_bench.results.formats.markdown import plain

if TYPE_CHECKING:
    from medssl_bench.report.study import Study

AUTHOR = "author:"
"""What stands where no record can tell."""


@dataclass(frozen=True)
class Guideline:
    """A reporting guideline.

    Attributes:
        title: its name.
        citation: where it was published.
        size: how many items it has, in its own words.
    """

    title: str
    citation: str
    size: str


GUIDELINES = {
    "reforms": Guideline(
        "REFORMS",
        "Kapoor S, Cantrell EM, Peng K, et al. REFORMS: Consensus-based Recommendations for Machine-learning-based "
        "Science. Science Advances 2024; 10(18): eadk3452. https://doi.org/10.1126/sciadv.adk3452",
        "32 items in 8 modules",
    ),
    "claim": Guideline(
        "CLAIM 2024",
        "Tejani AS, Klontzas ME, Gatti AA, et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): "
        "2024 Update. Radiology: Artificial Intelligence 2024; 6(4): e240300. https://doi.org/10.1148/ryai.240300",
        "44 items",
    ),
    "tripod-ai": Guideline(
        "TRIPOD+AI",
        "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement: updated guidance for reporting clinical "
        "prediction models that use regression or machine learning methods. BMJ 2024; 385: e078378. "
        "https://doi.org/10.1136/bmj-2023-078378",
        "27 items",
    ),
}
"""By the name that the command line takes."""


_STUDY = (
    Topic("Question", author="the question, the claim, and the population that it is about"),
    Topic("Setting", author="clinical or scientific background; intended use and users; what is known already"),
    Topic(
        "Participants", author="where and when they were seen; who was included and excluded; how many were left out"
    ),
    Topic("Ethics", author="approval, consent, de-identification, registration, protocol, funding, interests"),
)

_DISCUSSION = Section(
    "Discussion",
    (
        Topic("Limitations", author="what the data, the labels and the design cannot show"),
        Topic("Fairness", author="results by group of patients; the run has no such columns"),
        Topic("Use", author="what it would take to use such a model, and for whom it is not meant"),
    ),
)

_MACHINE = ("device", "platform", "threads", "deterministic")
"""Names of `Study.versions` that are of the machine."""


_AGAIN = (
    "`medssl-bench run` computes what the suite says; each result has a record with settings, data and versions",
    "`medssl-bench verify` computes a result again and compares it; `medssl-bench store export` packs results",
)


def checklist(study: Study, name: str) -> str:
    """Return the draft for a guideline, in Markdown.

    It has topics, and not the items of the guideline: their texts and numbers must come from its paper.

    Args:
        study: what was run.
        name: of the guideline, a key of `GUIDELINES`.
    """
    guideline = GUIDELINES[name]
    about = (
        f"{guideline.title} has {guideline.size}. This draft has topics, and not those items: take their numbers and "
        "texts from the paper, and check that each item is answered. What the records of the run tell is filled in. "
        f"Where a line begins with “{AUTHOR}”, no record can tell, and the author writes it."
    )
    title = f"# {guideline.title}: draft for {plain(study.suite.name)}"
    lines = [title, "", guideline.citation, "", about, "", study.made, ""]
    lines += [f"* **{plain(mark)}**" for mark in study.marks]
    lines += [""] if study.marks else []
    run = WhatWasRun.of(study)
    sections = (
        Section("Study", _STUDY),
        about_data(study),
        _training(study, run),
        about_evaluation(study),
        _material(study, run),
        _DISCUSSION,
    )
    for section in sections:
        lines += _section(section)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    lines = [f"## {section.title}", ""]
    for topic in section.topics:
        lines += [f"### {topic.title}", ""]
        lines += [f"* {plain(line)}" for line in topic.lines]
        if topic.author:
            lines.append(f"* {AUTHOR} {topic.author}")
        lines.append("")
    return lines


def _training(study: Study, run: WhatWasRun) -> Section:
    recipes = [
        "; ".join(f"{head}: {text}" for head, text in zip(RECIPE_HEADS, row, strict=True) if text)
        for row in run.recipes
    ]
    arms = [
        f"{table.title}: " + "; ".join(f"{head}: {text}" for head, text in zip(ARM_HEADS, row, strict=True))
        for table in run.tables
        for row in table.arms
    ]
    facts = [f"{table.title}: " + "; ".join(f"{name}: {value}" for name, value in table.facts) for table in run.tables]
    selected = [f"{table.title}: {table.selection.mark}" for table in study.board.tables if table.selection is not None]
    return Section(
        "Model and training",
        (
            Topic(
                "Pretraining: method, encoder, optimiser, epochs",
                tuple(recipes),
                "why these settings; what else was tried",
            ),
            Topic("Arms: encoder and classifier", tuple(arms)),
            Topic("Label budgets, seeds and draws", tuple(facts)),
            Topic(
                "Choice of epochs and settings",
                tuple(selected),
                "whether anything was chosen after test results were seen",
            ),
        ),
    )


def _material(study: Study, run: WhatWasRun) -> Section:
    cost = study.cost
    versions = [f"{name}: {', '.join(found)}" for name, found in study.versions.items() if name not in _MACHINE]
    machine = [f"{name}: {', '.join(found)}" for name, found in study.versions.items() if name in _MACHINE]
    used = (
        f"{cost.seconds / 3600:.2f} hours of computing, {cost.encoders:,} encoders trained on {cost.images:,} images, "
        f"at most {cost.peak_bytes / 2**30:.1f} GiB of memory in a process"
    )
    suite = f"the suite: {', '.join(name for name, _ in run.files)}"
    return Section(
        "Material",
        (
            Topic("Hardware and cost", (*machine, used)),
            Topic("Software", (*versions, study.made)),
            Topic(
                "Availability",
                (suite, *_AGAIN),
                "where data, code, suite, results and models can be had",
            ),
        ),
    )
