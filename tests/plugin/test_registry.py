"""Components by kind and name: resolved from what a suite writes, and built."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest

from medssl_bench.errors import PluginError, UserError
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.kinds import KINDS, find_kind
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import Components, Field, LooksInto, OneComponent, ParameterProblem
from medssl_bench.plugin.registry import Entry, NameCollision, Plugin, Registry


def flip(size: int, *, p: Annotated[float, Field(ge=0, le=1)] = 0.5) -> tuple[Any, ...]:
    """Flip."""
    return "flip", size, p


def sequence(size: int, *, ops: Annotated[list[Any], Components("op")]) -> tuple[Any, ...]:
    return "sequence", size, ops


def wrapped(size: int, *, inner: Annotated[Any, OneComponent("augmentation")] = None) -> tuple[Any, ...]:
    return "wrapped", size, inner(size=3) if inner else None


def filed(context: str, *, path: Path, other: Path | None = None) -> tuple[Any, ...]:
    return context, path, other


def plain() -> str:
    return "plain"


PLUGIN = Plugin("mine", "inline", source="abc")


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    for kind, name, factory in (
        ("op", "flip", flip),
        ("augmentation", "sequence", sequence),
        ("augmentation", "wrapped", wrapped),
        ("dataset", "filed", filed),
        ("evaluator", "plain", plain),
    ):
        made.add(Entry(KINDS[kind], name, PLUGIN, factory, revision=2))
    return made


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("wrapped", ("wrapped", 28, None)),
        ({"name": "wrapped"}, ("wrapped", 28, None)),
        (["flip"], ("sequence", 28, [("flip", 28, 0.5)])),
        (["flip", {"name": "flip", "p": 1}], ("sequence", 28, [("flip", 28, 0.5), ("flip", 28, 1.0)])),
        ([], ("sequence", 28, [])),
        ({"name": "sequence", "ops": ["flip"]}, ("sequence", 28, [("flip", 28, 0.5)])),
        ({"name": "wrapped", "inner": ["flip"]}, ("wrapped", 28, ("sequence", 3, [("flip", 3, 0.5)]))),
        ({"name": "wrapped", "inner": "wrapped"}, ("wrapped", 28, ("wrapped", 3, None))),
    ],
)
def test_ways_to_write_a_component(value: Any, wanted: Any, registry: Registry) -> None:
    component = registry.resolve("augmentation", value, Path())
    assert registry.build(component, size=28) == wanted
    through_json = Component.from_data(json.loads(json.dumps(component.to_data())))
    assert through_json == component
    assert registry.build(through_json, size=28) == wanted
    assert (component.plugin, component.source, component.revision) == ("mine", "abc", 2)


@pytest.mark.parametrize(
    ("kind", "value", "path", "message"),
    [
        ("augmentation", "sequenc", (), "there is no augmentation 'sequenc' (did you mean 'sequence'?)"),
        ("augmentation", {"name": "zzz"}, ("name",), "there is no augmentation 'zzz'; there are: sequence, wrapped"),
        ("method", "simclr", (), "there is no method 'simclr'; there are: none"),
        ("augmentation", 3, (), "expected a name, a table or a list of ops for augmentation, not 3"),
        ("op", ["flip"], (), "expected a name or a table for op, not ['flip']"),
        ("op", {"p": 1}, (), 'a table for op needs a name, as in { name = "..." }'),
        ("op", {"name": 3}, (), "a table for op needs a name"),
        ("op", {"name": "flip", "q": 1}, ("q",), "op 'flip': unknown parameter; it takes p"),
        ("op", {"name": "flip", "p": 2}, ("p",), "op 'flip': input should be less than or equal to 1, not 2"),
        (
            "evaluator",
            {"name": "plain", "p": 2},
            ("p",),
            "evaluator 'plain': unknown parameter; it takes no parameters",
        ),
        ("augmentation", ["flip", "flop"], ("ops", 1), "there is no op 'flop' (did you mean 'flip'?)"),
        (
            "augmentation",
            [{"name": "flip", "p": -1}],
            ("ops", 0, "p"),
            "op 'flip': input should be greater than or equal",
        ),
        ("augmentation", {"name": "sequence", "ops": 3}, ("ops",), "expected a list of ops, not 3"),
        ("augmentation", "sequence", (), "augmentation 'sequence': parameter 'ops' is required (any)"),
        (
            "augmentation",
            {"name": "wrapped", "inner": ["x"]},
            ("inner", "ops", 0),
            "there is no op 'x'; there are: flip",
        ),
        ("dataset", "filed", (), "dataset 'filed': parameter 'path' is required (path)"),
    ],
)
def test_what_cannot_be_resolved(
    kind: str, value: Any, path: tuple[Any, ...], message: str, registry: Registry
) -> None:
    with pytest.raises(ParameterProblem) as caught:
        registry.resolve(kind, value, Path())
    assert caught.value.path == path
    assert caught.value.message.startswith(message)
    with pytest.raises(UserError) as told:
        registry.resolve_or_raise(kind, value)
    assert str(told.value) == ": ".join(filter(None, [".".join(map(str, path)), caught.value.message]))


def test_files_count_by_their_content_not_by_their_place(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"1")
    (tmp_path / "b.bin").write_bytes(b"1")
    (tmp_path / "c.bin").write_bytes(b"2")
    found = {
        name: registry.resolve("dataset", {"name": "filed", "path": f"{name}.bin"}, tmp_path)
        for name in ("a", "b", "c")
    }
    assert found["a"].identity() == found["b"].identity() != found["c"].identity()
    assert found["a"].parameters["path"] == str(tmp_path / "a.bin")
    assert registry.build(found["a"], context="here") == ("here", tmp_path / "a.bin", None)
    missing = registry.resolve("dataset", {"name": "filed", "path": "no.bin"}, tmp_path)
    assert missing.files == {"path": None}
    (tmp_path / "a.bin").write_bytes(b"3")
    changed = registry.resolve("dataset", {"name": "filed", "path": "a.bin"}, tmp_path)
    assert changed.identity() != found["a"].identity()


def test_identity_is_what_decides_results(registry: Registry) -> None:
    component = registry.resolve("augmentation", ["flip"], Path())
    identity = component.identity()
    assert identity == {
        "name": "sequence", "plugin": "mine", "revision": 2, "source": "abc",
        "parameters": {"ops": [
            {"name": "flip", "plugin": "mine", "revision": 2, "source": "abc", "parameters": {"p": 0.5}}
        ]},
    }  # fmt: skip


def test_a_component_of_another_revision_or_plugin_is_not_built(registry: Registry) -> None:
    component = registry.resolve("op", "flip", Path())
    for change in ({"revision": 1}, {"plugin": "other"}):
        other = Component(**{**vars(component), **change})
        with pytest.raises(
            UserError, match=r"op 'flip' of plugin 'mine' has revision 2 here; the plan asks for revision"
        ):
            registry.build(other, size=1)


def test_a_component_of_an_older_record_is_built_with_the_defaults_of_what_came_later() -> None:
    registry = load_plugins().registry
    for name in ("linear_probe", "finetune", "knn"):
        now = registry.resolve("evaluator", name, Path())
        old = replace(now, parameters={"epochs": 3} if "epochs" in now.parameters else {})
        again = registry.build(old)
        assert again == replace(registry.build(now), **old.parameters)


def test_a_damaged_component_of_a_record_is_one_line() -> None:
    registry = load_plugins().registry
    probe = registry.resolve("evaluator", "linear_probe", Path())
    with pytest.raises(UserError, match=r"evaluator 'linear_probe'.*: epochs: .*not -1"):
        registry.build(replace(probe, parameters={**probe.parameters, "epochs": -1}))
    with pytest.raises(UserError, match="there is no kind of component 'nope'"):
        registry.build(replace(probe, kind="nope"))


def test_names(registry: Registry) -> None:
    for name in ("a", "a.b-c_d", "3", "resnet18"):
        registry.add(Entry(KINDS["op"], name, PLUGIN, flip))
    for bad in ("", " a", "a b", "-a", "a/b", "ä", 3, None, ["a"]):
        with pytest.raises(PluginError, match="is not a name for op"):
            registry.add(Entry(KINDS["op"], bad, PLUGIN, flip))  # type: ignore[arg-type]


def test_a_name_twice(registry: Registry) -> None:
    with pytest.raises(PluginError, match="op 'flip' of plugin 'mine' is registered twice"):
        registry.add(Entry(KINDS["op"], "flip", PLUGIN, flip))
    with pytest.raises(NameCollision, match="plugins 'mine' and 'yours' both register op 'flip'; rename it"):
        registry.add(Entry(KINDS["op"], "flip", Plugin("yours", "installed"), flip))


def test_removing_a_plugin_removes_what_it_registered_and_no_more(registry: Registry) -> None:
    registry.add(Entry(KINDS["op"], "flop", Plugin("yours", "installed"), flip))
    registry.remove("mine")
    assert [entry.name for entry in registry.of("yours")] == ["flop"]
    assert registry.of("mine") == []


def test_kinds_go_by_singular_and_plural() -> None:
    for kind in KINDS.values():
        assert find_kind(kind.name) is find_kind(kind.plural) is kind
    with pytest.raises(UserError, match=r"there is no kind 'augmentatoin' \(did you mean 'augmentations'\?\)"):
        find_kind("augmentatoin")


def test_every_kind_has_a_hook_that_is_specified() -> None:
    from medssl_bench.plugin import hookspecs

    for kind in KINDS.values():
        assert getattr(hookspecs, kind.hook).__doc__.startswith("Register ")


def _starts_with_a(path: Path) -> None:
    if not path.read_text().startswith("a"):
        raise ValueError("it does not start with an a")


def looked_into(*, path: Annotated[Path | None, LooksInto(_starts_with_a)] = None) -> Path | None:
    return path


def test_a_file_is_looked_into_where_there_is_one(tmp_path: Path) -> None:
    registry = Registry()
    registry.add(Entry(find_kind("evaluator"), "looks", PLUGIN, looked_into))
    (tmp_path / "good").write_text("ab")
    (tmp_path / "bad").write_text("b")
    os.mkfifo(tmp_path / "pipe")
    for name in ("good", "none"):
        assert registry.resolve("evaluator", {"name": "looks", "path": name}, tmp_path).parameters["path"]
    for name, what in (("bad", ": it does not start with an a"), ("pipe", " is a pipe or a device; evaluator 'looks'")):
        with pytest.raises(ParameterProblem) as caught:
            registry.resolve("evaluator", {"name": "looks", "path": name}, tmp_path)
        assert caught.value.path == ("path",)
        assert f"{tmp_path / name}{what}" in caught.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    registry = Registry()
    registry.add(Entry(find_kind("evaluator"), "looks", PLUGIN, looked_into))
    (tmp_path / "closed").write_text("a")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(ParameterProblem, match=r"closed: cannot be read \(Permission denied\)"):
        registry.resolve("evaluator", {"name": "looks", "path": "closed"}, tmp_path)
