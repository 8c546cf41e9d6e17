"""HTML for notebooks: tables and lines whose text is escaped, readable in light and in dark themes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

_STYLE = Markup("""\
<style>
div.medssl-bench { --good: #00875a; --bad: #d0422b; --rule: rgba(128, 128, 128, .4); overflow-x: auto; }
[data-jp-theme-light="true"] div.medssl-bench, .vscode-light div.medssl-bench { --good: #00694f; --bad: #a8320a; }
[data-jp-theme-light="false"] div.medssl-bench, .vscode-dark div.medssl-bench,
[theme="dark"] div.medssl-bench, [data-theme="dark"] div.medssl-bench { --good: #3ecf97; --bad: #ff8a70; }
div.medssl-bench table { border-collapse: collapse; margin: .4em 0; color: inherit; font-size: inherit;
  font-variant-numeric: tabular-nums; }
div.medssl-bench caption { caption-side: top; text-align: left; padding: .2em 0; color: inherit; }
.medssl-bench.medssl-bench th, .medssl-bench.medssl-bench td { text-align: left; vertical-align: top;
  padding: .25em 1.2em .25em 0; border: 0; border-bottom: 1px solid var(--rule); background: none; color: inherit;
  max-width: 36em; overflow-wrap: anywhere; }
div.medssl-bench tbody th { font-weight: normal; }
.medssl-bench.medssl-bench .number { text-align: right; white-space: nowrap; }
div.medssl-bench tr.ruled > * { border-top: 2px solid var(--rule); }
div.medssl-bench p { margin: .3em 0; max-width: 70em; }
div.medssl-bench summary { cursor: pointer; margin: .3em 0; }
div.medssl-bench .quiet { opacity: .75; } div.medssl-bench p.quiet, div.medssl-bench .line { font-size: .9em; }
div.medssl-bench .line { display: block; font-weight: normal; opacity: .75; }
div.medssl-bench .good { color: var(--good); font-weight: bold; }
div.medssl-bench .bad { color: var(--bad); font-weight: bold; }
div.medssl-bench progress { width: 12em; vertical-align: middle; }
</style>
""")
"""Colours are the theme's own where they can be: it is said nowhere whether the paper is dark. Two are not, and are
read on both; known themes get their own. A class that stands twice counts more than JupyterLab's rules for tables."""


def block(parts: Iterable[Markup]) -> str:
    """Return HTML that a notebook shows, from parts of it; nothing outside takes its style."""
    return str(Markup('<div class="medssl-bench">\n{}{}\n</div>').format(_STYLE, Markup("\n").join(parts)))


def line(text: str | Markup, style: str = "") -> Markup:
    """Return a paragraph; `style` is one of ``quiet``, ``good`` and ``bad``, or nothing."""
    return Markup('<p class="{}">{}</p>').format(style, text) if style else Markup("<p>{}</p>").format(text)


def strong(text: str) -> Markup:
    """Return a text that stands out."""
    return Markup("<b>{}</b>").format(text)


def fold(summary: str | Markup, parts: Iterable[Markup]) -> Markup:
    """Return parts that are shown when a reader opens their summary."""
    return Markup("<details><summary>{}</summary>\n{}\n</details>").format(summary, Markup("\n").join(parts))


def table(
    caption: str | Markup,
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Markup]],
    *,
    names: int = 1,
    groups: Sequence[tuple[str, int]] = (),
    styles: Sequence[str] = (),
) -> Markup:
    """Return a table.

    Args:
        caption: what stands above it.
        heads: heads of all columns.
        rows: texts of all cells.
        names: how many columns at the left name their row; the others hold numbers, unless `names` is 0.
        groups: names above neighbouring columns of numbers, with their widths.
        styles: of the rows: ``quiet``, ``ruled``, both, or nothing; empty: no row has any.
    """
    kinds = ["name" if place < names else "number" if names else "text" for place in range(len(heads))]
    above = [Markup("<th></th>")] * names
    above += [Markup('<th colspan="{}" scope="colgroup">{}</th>').format(width, name) for name, width in groups]
    lines = [_row(above)] if groups else []
    lines.append(_row(_HEAD[kind].format(head) for kind, head in zip(kinds, heads, strict=True)))
    body = [
        _row((_CELL[kind].format(text) for kind, text in zip(kinds, row, strict=True)), styles[place] if styles else "")
        for place, row in enumerate(rows)
    ]
    template = Markup("<table>\n<caption>{}</caption>\n<thead>\n{}\n</thead>\n<tbody>\n{}\n</tbody>\n</table>")
    return template.format(caption, Markup("\n").join(lines), Markup("\n").join(body))


_TEXT_HEAD = Markup('<th scope="col">{}</th>')
_HEAD = {"name": _TEXT_HEAD, "number": Markup('<th scope="col" class="number">{}</th>'), "text": _TEXT_HEAD}
_CELL = {
    "name": Markup('<th scope="row">{}</th>'),
    "number": Markup('<td class="number">{}</td>'),
    "text": Markup("<td>{}</td>"),
}


def _row(cells: Iterable[Markup], style: str = "") -> Markup:
    attribute = Markup(' class="{}"').format(style) if style else Markup()
    return Markup("<tr{}>{}</tr>").format(attribute, Markup().join(cells))
