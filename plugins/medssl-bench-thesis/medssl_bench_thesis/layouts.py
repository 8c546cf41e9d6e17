"""Rows and columns of tables 7.1 to 7.6 as the thesis prints them."""

from __future__ import annotations

from medssl_bench.report.layout import ArmRow, BestRow, Block, ImprovementRow, Layout, PairedRow

_METRICS = {"accuracy": "ACC", "auroc": "AUC"}
_DATASETS = {
    "pathmnist": "Colon pathology",
    "dermamnist": "Dermatology",
    "bloodmnist": "Blood cells",
    "retinamnist": "Retina fundus",
    "octmnist": "Retinal OCT",
    "tissuemnist": "Tissue cells",
}


def layout(table: str) -> Layout:
    """Return the shape of a table, ``table-7.1`` to ``table-7.6``.

    Tables 7.2 and 7.3 print “standard setup”, in each column the better of the two arms of table 7.1, and
    “improvement”, the better new arm minus it. Both pick on test, so the paired difference of each arm to its standard
    one stands below.
    """
    name = f"Table {table.removeprefix('table-')}"
    return Layout(name, _BLOCKS[table], _METRICS, _DATASETS, _GROUPS.get(table, "labelled samples"))


_BASELINE = Block(
    ("",),
    (
        ArmRow(("Supervised baseline",), "supervised"),
        ArmRow(("Frozen backbone",), "frozen"),
        ArmRow(("Unfrozen backbone",), "unfrozen"),
    ),
)

_AGAINST_STANDARD = Block(
    ("",),
    (
        BestRow(("Standard setup",), ("standard, frozen", "standard, unfrozen")),
        ArmRow(("Frozen backbone",), "frozen"),
        ArmRow(("Unfrozen backbone",), "unfrozen"),
        ImprovementRow(("Improvement",), ("frozen", "unfrozen"), ("standard, frozen", "standard, unfrozen")),
        PairedRow(("frozen, paired",), "frozen", "standard, frozen"),
        PairedRow(("unfrozen, paired",), "unfrozen", "standard, unfrozen"),
    ),
)

_RETINA = (
    Block(
        ("Pretrain", "Downstream"),
        (
            ArmRow(("None", "Supervised"), "supervised"),
            ArmRow(("Retina", "Frozen f"), "frozen (retinamnist)"),
            ArmRow(("Retina", "Unfrozen f"), "unfrozen (retinamnist)"),
        ),
        "Baseline metrics",
    ),
    Block(
        ("Pretrain", "Freeze f"),
        (
            ArmRow(("Path", "yes"), "frozen (pathmnist)"),
            ArmRow(("Path", "no"), "unfrozen (pathmnist)"),
            ArmRow(("Path + Retina", "yes"), "frozen (pathmnist, retinamnist)"),
            ArmRow(("Path + Retina", "no"), "unfrozen (pathmnist, retinamnist)"),
        ),
        "Metrics",
    ),
)

_DERMA = Block(
    ("Pretrain", "Freeze f"),
    (
        ArmRow(("Path", "yes"), "frozen (pathmnist)"),
        ArmRow(("Path", "no"), "unfrozen (pathmnist)"),
        ArmRow(("Path + Derma", "yes"), "frozen (pathmnist, dermamnist)"),
        ArmRow(("Path + Derma", "no"), "unfrozen (pathmnist, dermamnist)"),
    ),
)

_BLOCKS: dict[str, tuple[Block, ...]] = {
    "table-7.1": (_BASELINE,),
    "table-7.2": (_AGAINST_STANDARD,),
    "table-7.3": (_AGAINST_STANDARD,),
    "table-7.4": _RETINA,
    "table-7.5": (_DERMA,),
    "table-7.6": (_BASELINE,),
}
_GROUPS = {"table-7.5": "labelled samples from each class"}
