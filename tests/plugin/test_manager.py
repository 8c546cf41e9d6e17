"""Finding plugins: good, broken, blocked, editable and inline ones, from distributions that are really there."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin.conftest import PLUGIN, Install

from medssl_bench import hookimpl
from medssl_bench.errors import PluginError, UserError
from medssl_bench.plugin import content, installed_source
from medssl_bench.plugin.content import read_source
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import BUILT_IN, Plugins, load_plugins
from medssl_bench.plugin.registry import NameCollision, Plugin, Register


def _found(plugins: Plugins, name: str) -> Plugin:
    (plugin,) = [found for found in plugins.found if found.name == name]
    return plugin


def _names(plugins: Plugins, kind: str = "augmentation") -> set[str]:
    return set(plugins.registry.entries[kind])


HEAD = "from medssl_bench import hookimpl\n\n\n@hookimpl\ndef medssl_ops(register):\n"


def test_built_in_components_come_through_the_same_hooks() -> None:
    plugins = load_plugins()
    built_in = [found for found in plugins.found if found.origin == "built-in"]
    assert [found.name for found in built_in] == [module.split(".")[1] for module in BUILT_IN]
    assert plugins.warnings == []
    for found in built_in:
        assert plugins.manager.has_plugin(found.name)
        assert plugins.registry.of(found.name), "each provides something"
    assert {entry.plugin.name for kind in KINDS for entry in plugins.registry.entries[kind].values()} <= {
        found.name for found in plugins.found
    }


def test_an_installed_plugin(install: Install) -> None:
    install("gentle_one")
    plugins = load_plugins()
    found = _found(plugins, "gentle_one")
    assert found == Plugin("gentle_one", "installed", "gentle_one", "1.5")
    entry = plugins.registry.find("augmentation", "gentle_one")
    assert entry.summary == "An augmentation of gentle_one."
    component = plugins.registry.resolve("augmentation", {"name": "gentle_one", "strength": 2}, Path())
    assert (component.plugin, component.source, component.parameters) == ("gentle_one", None, {"strength": 2.0})


def test_an_editable_plugin_counts_by_its_source(install: Install) -> None:
    module = install("edited_one", editable=True)
    first = _found(load_plugins(), "edited_one")
    assert (first.origin, first.source) == ("editable", read_source(module).digest)
    component = load_plugins().registry.resolve("augmentation", "edited_one", Path())
    assert component.identity()["source"] == first.source
    module.write_text(module.read_text() + "\n# changed\n")
    second = _found(load_plugins(), "edited_one")
    assert second.source != first.source


def test_every_file_of_an_editable_package_counts(install: Install, tmp_path: Path) -> None:
    package = tmp_path / "site" / "edited_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN.format(name="edited_package"))
    (package / "inner" / "deep.py").write_text("x = 1\n")
    install("edited_dist", "", editable=True, entry="edited_package = edited_package")
    first = _found(load_plugins(), "edited_package").source
    (package / "inner" / "deep.py").write_text("x = 2\n")
    second = _found(load_plugins(), "edited_package").source
    (package / "inner" / "deep.py").rename(package / "inner" / "moved.py")
    third = _found(load_plugins(), "edited_package").source
    (package / "data.txt").write_text("no source")
    assert _found(load_plugins(), "edited_package").source == third
    assert len({first, second, third, None}) == 4


def test_a_package_with_several_plugins_is_read_once(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of an editable installation would else read it again for each of them."""
    package = tmp_path / "site" / "family"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    late = "def late():\n" + "    from family.one import x\n    from family.two import x\n" * 5
    for name in ("one", "two", "three"):
        (package / f"{name}.py").write_text(f"x = 1\n{late}{PLUGIN.format(name=name)}")
    install("family_dist", "", editable=True, entry="one = family.one\ntwo = family.two\nthree = family.three")
    read, listed = [], []
    monkeypatch.setattr(installed_source, "read_source", lambda *where: read.append(where) or read_source(*where))
    monkeypatch.setattr(content, "_python", lambda path, known=content._python: listed.append(path) or known(path))

    plugins = load_plugins()

    assert {"one", "two", "three"} <= _names(plugins)
    assert len({_found(plugins, name).source for name in ("one", "two", "three")}) == 1
    assert [where for where in read if where[0] == package] == [(package, package.parent)]
    assert listed.count(package) <= 2, "as what is read, and as what it imports from"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("def x(:", "SyntaxError: invalid syntax (broken_one.py, line 1)"),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line second line"),
        ("raise ValueError('x' * 1000)", "x..."),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("x = 1", "it implements no hook; mark its functions with @hookimpl"),
        (PLUGIN.replace("medssl_augmentations", "medssl_augmentationz"), "there is no hook 'medssl_au"),
        (PLUGIN.replace("ns(register)", "ns(wrong)"), "hook 'medssl_augmentations' has no argument 'wrong'; it"),
        (PLUGIN.replace("strength: float = 1.0", "then: Callable[[], int] | None = None").replace(
            "\n@hookimpl", "\nfrom collections.abc import Callable\n@hookimpl", 1
        ), "augmentation '{name}' of plugin 'broken_one': parameter 'then' has a type that TOML cannot hold; "),
        (PLUGIN.replace("factory)", "factory)\n    1 / 0"), "ZeroDivisionError: division by zero"),
        (PLUGIN.replace('"{name}"', "3"), "3 is not a name for augmentation; use letters, digits"),
        (PLUGIN.replace('"{name}"', '"two words"'), "'two words' is not a name for augmentation"),
        (PLUGIN.replace("factory)", "3)"), "augmentation '{name}' of plugin 'broken_one': 3 is not a function"),
        (PLUGIN.replace("factory)", '"no target")'), "'no target' is not 'module:attribute'"),
        (PLUGIN.replace("factory)", "factory, revision=0)"), "revision must be an integer from 1, not 0"),
        (PLUGIN.replace("factory)", "factory, revision=True)"), "revision must be an integer from 1, not True"),
        (PLUGIN.replace("size: int, ", ""), "the factory of augmentation must have the signature (size, *, ...)"),
        (PLUGIN.replace(": float = 1.0", "=1.0"), "parameter 'strength' has no type"),
        (PLUGIN.replace("factory)", 'factory)\n    register("{name}", factory)'), "is registered twice"),
        (PLUGIN.replace("factory)", "factory, colour=1)"), "TypeError: "),
    ],
)  # fmt: skip
def test_a_broken_plugin_is_left_out_and_the_rest_goes_on(code: str, problem: str, install: Install) -> None:
    install("broken_one", code.replace("{name}", "broken_one"))
    install("sound_one")
    plugins = load_plugins()
    found = _found(plugins, "broken_one")
    assert problem.replace("{name}", "broken_one") in found.problem
    assert "\n" not in found.problem
    assert plugins.warnings == [f"plugin 'broken_one' is not used: {found.problem}"]
    assert not plugins.manager.has_plugin("broken_one")
    assert plugins.registry.of("broken_one") == [], "nothing of it is left"
    assert "sound_one" in _names(plugins)
    assert "simclr" in _names(plugins)


def test_what_a_plugin_prints_is_not_what_a_command_prints(install: Install, capsys: pytest.CaptureFixture) -> None:
    lazy = "print('on import')\n" + PLUGIN.format(name="chatty_one").replace("factory)", '"chatty_part:factory")')
    part = "print('on first use')\ndef factory(size: int): ...\n"
    install("chatty_one", lazy)
    install("chatty_part", part, entry="chatty_part = no_such_module_at_all")
    assert load_plugins().registry.find("augmentation", "chatty_one").factory
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "on import" in captured.err
    assert "on first use" in captured.err


def test_a_target_that_cannot_be_imported_harms_its_component_alone(install: Install) -> None:
    lazy = 'factory)\n    register("lazy", "no_such_module_at_all:thing")\n    register("none", "json:no_such_thing")'
    lazy += '\n    register("exits", "exiting_module:thing")'
    install("exiting_module", "raise SystemExit(0)").with_name("exiting_module-1.5.dist-info").joinpath(
        "entry_points.txt"
    ).unlink()
    install("half_one", PLUGIN.format(name="half_one").replace("factory)", lazy))
    plugins = load_plugins()
    assert plugins.warnings == []
    assert plugins.registry.find("augmentation", "half_one").summary
    for name in ("lazy", "none", "exits"):
        with pytest.raises(PluginError, match=f"augmentation '{name}' of plugin 'half_one': cannot import"):
            plugins.registry.find("augmentation", name).summary  # noqa: B018
        with pytest.raises(UserError, match="cannot import"):
            plugins.registry.resolve_or_raise("augmentation", name)


@pytest.mark.parametrize("entry", ["x = ", "x = a b", "x = no_such_module_at_all:y"])
def test_a_broken_entry_point(entry: str, install: Install) -> None:
    install("entry_one", entry=entry, editable=True)
    plugins = load_plugins()
    assert _found(plugins, "x").problem
    assert "simclr" in _names(plugins)


def test_broken_metadata(install: Install) -> None:
    module = install("metadata_one", editable=True)
    (module.parent / "metadata_one-1.5.dist-info" / "direct_url.json").write_text("{")
    plugins = load_plugins()
    assert _found(plugins, "metadata_one").problem.startswith("JSONDecodeError: ")
    assert "simclr" in _names(plugins)


def test_two_plugins_of_one_component_are_refused_and_both_named(install: Install) -> None:
    for name in ("first_one", "second_one"):
        install(name, PLUGIN.format(name=name).replace(f'"{name}"', '"same"'))
    with pytest.raises(NameCollision) as caught:
        load_plugins()
    assert str(caught.value) == (
        "plugins 'first_one' and 'second_one' both register augmentation 'same'; "
        "rename it in one of them, or block one with -p no:first_one or -p no:second_one"
    )
    assert load_plugins(block=["second_one"]).registry.find("augmentation", "same").plugin.name == "first_one"
    assert load_plugins(block=["first_one"]).registry.find("augmentation", "same").plugin.name == "second_one"


def test_one_name_in_two_kinds_is_no_collision(install: Install) -> None:
    install("sort_one", PLUGIN.format(name="resnet18"))
    registry = load_plugins().registry
    assert registry.find("augmentation", "resnet18").plugin.name == "sort_one"
    assert registry.find("encoder", "resnet18").plugin.name == "encoders"


def test_two_distributions_with_a_plugin_of_one_name(install: Install) -> None:
    install("twin_one", PLUGIN.format(name="one"), entry="twin = twin_one")
    install("twin_two", PLUGIN.format(name="two"), entry="twin = twin_two")
    plugins = load_plugins()
    assert [bool(found.problem) for found in plugins.found if found.name == "twin"] == [False, True]
    (warning,) = plugins.warnings
    assert warning == "plugin 'twin' is not used: installed plugin 'twin' has that name already; rename it"
    assert len({"one", "two"} & _names(plugins)) == 1, "the first one stays whole"


def test_blocking(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("blocked_one", "raise RuntimeError('imported')")
    for plugins in (load_plugins(block=["blocked_one"]), *_blocked_by_environment(monkeypatch)):
        assert _found(plugins, "blocked_one").problem == "blocked"
        assert plugins.warnings == [], "that is no trouble"
    plugins = load_plugins(block=["augmentations"])
    assert plugins.registry.of("augmentations") == []
    with pytest.raises(UserError, match="there is no encoder 'simclr'"):
        plugins.registry.find("encoder", "simclr")


def _blocked_by_environment(monkeypatch: pytest.MonkeyPatch) -> list[Plugins]:
    found = []
    for value in ("blocked_one", " augmentations , blocked_one,,"):
        monkeypatch.setenv("MEDSSL_BENCH_BLOCK", value)
        found.append(load_plugins())
    monkeypatch.delenv("MEDSSL_BENCH_BLOCK")
    return found


def test_an_inline_plugin(tmp_path: Path) -> None:
    file = tmp_path / "beside.py"
    file.write_text(PLUGIN.format(name="inlined"))
    plugins = load_plugins()
    added = plugins.add_inline(file)
    assert (added.name, added.origin, added.distribution, added.source) == (
        "beside", "inline", "beside.py", read_source(file).digest,
    )  # fmt: skip
    assert "inlined" in _names(plugins)
    file.write_text("x = 1")
    with pytest.raises(PluginError, match=r"beside.py is not a usable plugin: it has changed since it was loaded"):
        plugins.add_inline(file)
    assert "inlined" in _names(plugins)
    with pytest.raises(PluginError, match=r"beside.py is not a usable plugin: it implements no hook"):
        load_plugins().add_inline(file)
    assert load_plugins(block=["beside"]).add_inline(file).problem == "blocked"


class _Watcher:
    @hookimpl
    def medssl_stage_ends(self, stage: object) -> None:
        """Watch."""

    @hookimpl
    def medssl_run_begins(self) -> None:
        """Watch."""


class _Both(_Watcher):
    @hookimpl
    def medssl_ops(self, register: Register) -> None:
        register("nothing", _op)


def _op(size: int) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("import os\n\nx = undefined", "NameError: name 'undefined' is not defined (mine.py, line 3)"),
        ("def f(:", "SyntaxError: invalid syntax (mine.py, line 1)"),
        (f"{HEAD}    register('a', 5)\n", "is not a function, a class or 'module:attribute' (mine.py, line 6)"),
        (f"{HEAD}    helper()\n\ndef helper():\n    raise KeyError('x')\n", "KeyError: 'x' (mine.py, line 9)"),
    ],
)
def test_an_error_names_the_line_of_the_file(code: str, end: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(code, "utf-8")
    with pytest.raises(PluginError) as caught:
        load_plugins().add_inline(file)
    assert str(caught.value).endswith(end)


def test_what_a_plugin_watches() -> None:
    plugins = Plugins()
    plugins.add(Plugin("watcher", "installed"), _Watcher)
    plugins.add(Plugin("both", "installed"), _Both)
    assert plugins.watched("watcher") == ["medssl_run_begins", "medssl_stage_ends"]
    assert plugins.watched("both") == ["medssl_run_begins", "medssl_stage_ends"]
    assert [entry.name for entry in plugins.registry.of("both")] == ["nothing"]
    assert plugins.watched("no such") == []


def test_an_interrupt_is_not_taken_for_a_broken_plugin(install: Install) -> None:
    install("interrupting_one", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_plugins()
