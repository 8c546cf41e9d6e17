"""Loading whole suites, their inline plugins among them."""

from pathlib import Path

import pytest
from suite.conftest import changed

from medssl_bench.errors import SuiteError
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

PLUGIN = '''
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("mine", mine)

def mine(size: int, *, strength: float = 1.0):
    """Mine."""
'''
NAMING = ('name = "small"\n', 'name = "small"\nplugins = ["own.py"]\n')


def _problem(path: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        Suite.load(path)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{path.parent}/", "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "suite.toml").write_text(changed(NAMING, ('"simclr"', '{ name = "mine", strength = 2.0 }')))
    (tmp_path / "own.py").write_text(PLUGIN)
    return tmp_path / "suite.toml"


def test_an_inline_plugin_brings_components(path: Path) -> None:
    suite = Suite.load(path)
    augmentation = suite.tables[0].arms[-1].chain[0].recipe.augmentation
    assert (augmentation.plugin, augmentation.parameters) == ("own", {"strength": 2.0})
    assert augmentation.source is not None
    again = Suite.load(path, suite.plugins)
    assert again.plugins is suite.plugins
    assert [found.name for found in suite.plugins.found].count("own") == 1, "loaded once"
    (path.parent / "own.py").write_text(PLUGIN + "\n# changed\n")
    changed_source = Suite.load(path).tables[0].arms[-1].chain[0].recipe.augmentation.source
    assert changed_source != augmentation.source


def test_a_suite_that_names_no_plugin_runs_no_code(path: Path) -> None:
    (path.parent / "own.py").write_text("raise SystemExit('run')")
    path.write_text(changed())
    assert Suite.load(path).name == "small"


def test_an_inline_plugin_can_be_blocked(path: Path) -> None:
    with pytest.raises(SuiteError, match="there is no augmentation 'mine'"):
        Suite.load(path, load_plugins(block=["own"]))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = ", "SyntaxError: invalid syntax (own.py, line 1)"),
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "it implements no hook; mark its functions with @hookimpl"),
        (
            PLUGIN.replace("medssl_augmentations", "medssl_augmentation"),
            "there is no hook 'medssl_augmentation'",
        ),
        (
            PLUGIN.replace("register)", "registrar)"),
            "hook 'medssl_augmentations' has no argument 'registrar' (did you mean 'register'?)",
        ),
        (
            PLUGIN.replace("size: int, *", "*"),
            "augmentation 'mine' of plugin 'own': the factory of augmen",
        ),
        (
            PLUGIN.replace(": float = 1.0", " = 1.0"),
            "augmentation 'mine' of plugin 'own': parameter 'stre",
        ),
        (PLUGIN.replace('"mine"', '"my own"'), "'my own' is not a name for augmentation"),
        (PLUGIN.replace('register("mine", mine)', "1 / 0"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_inline_plugin(code: str, message: str, path: Path) -> None:
    (path.parent / "own.py").write_text(code)
    assert _problem(path).startswith(f"suite.toml:3: plugins[0]: own.py is not a usable plugin: {message}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.py", "there is no file 'no.py' beside the suite"),
        ("../own.py", "'../own.py' is not the name of a Python file; it must stand beside the suite, as in 'mine.py'"),
        ("/etc/x.py", "'/etc/x.py' is not the name of a Python file"),
        ("own.txt", "'own.txt' is not the name of a Python file"),
        ("folder.py", "there is no file 'folder.py' beside the suite"),
        ("own.py/", "'own.py/' is not the name of a Python file"),
        ("", "'' is not the name of a Python file"),
        (f"{'a' * 300}.py", "there is no file 'aaaa"),
    ],
)
def test_files_that_cannot_be_plugins(name: str, message: str, path: Path) -> None:
    (path.parent / "folder.py").mkdir()
    path.write_text(path.read_text().replace("own.py", name))
    assert _problem(path).startswith(f"suite.toml:3: plugins[0]: {message}")


def test_an_inline_plugin_takes_no_name_that_is_taken(path: Path) -> None:
    (path.parent / "own.py").write_text(PLUGIN.replace('"mine"', '"simclr"'))
    assert _problem(path) == (
        "suite.toml:3: plugins[0]: plugins 'augmentations' and 'own' both register augmentation 'simclr'; "
        "rename it in one of them, or block one with -p no:augmentations or -p no:own"
    )


def test_an_inline_plugin_called_as_another_plugin_leaves_that_one_alone(path: Path) -> None:
    (path.parent / "own.py").rename(path.parent / "datasets.py")
    path.write_text(path.read_text().replace("own.py", "datasets.py"))
    plugins = load_plugins()
    with pytest.raises(SuiteError, match="built-in plugin 'datasets' has that name already; rename it"):
        Suite.load(path, plugins)
    assert plugins.registry.find("dataset", "bloodmnist")


def test_positions_are_those_of_the_file(path: Path) -> None:
    suite = Suite.load(path)
    assert suite.position(("comparison", 0, "labels")).line == 12
    assert suite.position(("comparison", 0, "arm", 1, "name")).line == 20
    suite.require_files()


def test_inline_plugins_of_two_folders_are_not_taken_for_one(path: Path) -> None:
    suite = Suite.load(path)
    other = path.parent / "other"
    other.mkdir()
    (other / "suite.toml").write_text(path.read_text())
    (other / "own.py").write_text(PLUGIN + "\n# another\n")
    with pytest.raises(SuiteError, match="inline plugin 'own' has that name already; rename it"):
        Suite.load(other / "suite.toml", suite.plugins)
    assert Suite.load(other / "suite.toml").plugins.registry.find("augmentation", "mine")


def test_an_inline_plugin_that_has_changed_is_not_taken_for_what_it_was(path: Path) -> None:
    suite = Suite.load(path)
    (path.parent / "own.py").write_text(PLUGIN + "\n# changed\n")
    with pytest.raises(SuiteError, match="it has changed since it was loaded; load the suite with new plugins"):
        Suite.load(path, suite.plugins)
