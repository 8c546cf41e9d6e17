"""The JSON Schema of suite files, with the parameters of every component there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError
from medssl_bench.suite.schema import SuiteModel

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Entry, Registry

_KIND_OF_KEY = {
    "method": "method",
    "encoder": "encoder",
    "augmentation": "augmentation",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "evaluator": "evaluator",
    "on": "dataset",
    "datasets": "dataset",
    "analyses": "evaluator",
    "dataset": "dataset",
}
"""Keys of a suite that hold components, and of which kind."""

_NAMELESS = {"optimizer", "schedule"}
"""Keys whose table may leave out the name: it then has parameters of the default."""

_WITH_NAME = {"if": {"type": "object"}, "then": {"required": ["name"]}}
"""A component that is not a mere change of another one."""


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema; a component is one of the registered names, a name of the suite's own tables, or a table."""
    schema = SuiteModel.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    definitions = schema["$defs"]
    for model in (schema, *(model for name, model in definitions.items() if name != "AnalysesOf")):  # that has labels
        for key, place in model["properties"].items():
            if key in _KIND_OF_KEY:
                _refer(place, _KIND_OF_KEY[key], named_tables=model is schema)
    (link,) = (o for o in definitions["Arm"]["properties"]["pretraining"]["items"]["anyOf"] if o["type"] == "object")
    link["properties"]["on"] = {"$ref": "#/$defs/component_dataset"}
    _let_extend(schema)
    for kind in ("dataset", "augmentation", "op", "encoder", "method", "optimizer", "schedule", "evaluator"):
        definitions[f"component_{kind}"] = _component(kind, registry)
    return schema


def _let_extend(schema: dict[str, Any]) -> None:
    """Ask for a key, and for a component's name, only where nothing is extended that may have it."""
    recipe, table, arm = (schema["$defs"][name] for name in ("Pretraining", "Comparison", "Arm"))
    recipes = {"anyOf": [{"required": ["extends"]}, {"required": recipe.pop("required"), **_named(recipe)}]}
    arms = {"items": {"required": arm["required"], **_named(arm)}}
    tables = {"items": {"required": table["required"], **_named(table, arm=arms)}}
    own = {
        key: {"additionalProperties": _WITH_NAME}
        for key, place in schema["properties"].items()
        if key in _KIND_OF_KEY and "additionalProperties" in place
    }
    schema["if"] = {"not": {"required": ["extends"]}}
    schema["then"] = {
        "required": schema.pop("required"),
        "properties": {"comparison": tables, "pretraining": {"additionalProperties": recipes}, **own},
    }
    table["required"], arm["required"] = ["id"], ["name"]


def _named(model: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Ask for the names of a table's components."""
    return {
        "properties": {
            **{key: _WITH_NAME for key in model["properties"] if key in _KIND_OF_KEY.keys() - _NAMELESS},
            **more,
        }
    }


def _refer(place: dict[str, Any], kind: str, *, named_tables: bool) -> None:
    """Let a place that holds a component, a list or a table of them refer to the components of its kind."""
    reference = {"$ref": f"#/$defs/component_{kind}"}
    if named_tables and "additionalProperties" in place:
        place["additionalProperties"] = reference
    elif place.get("type") == "array":
        place["items"] = reference
    elif "anyOf" in place:
        place["anyOf"] = [reference, *(option for option in place["anyOf"] if option == {"type": "null"})]


def _component(kind: str, registry: Registry) -> dict[str, Any]:
    options: list[dict[str, Any]] = [
        {"type": "string", "description": f"the name of a {kind}; known: {', '.join(registry.entries[kind])}"}
    ]
    if kind == "augmentation":
        options.append({"type": "array", "items": {"$ref": "#/$defs/component_op"}})
    for name, entry in registry.entries[kind].items():
        try:
            table = entry.table.json_schema()
            summary = entry.summary
        except PluginError:
            continue
        options.append(
            {
                "title": "parameters",
                "description": summary,
                "type": "object",
                "properties": {"name": {"const": name}, **table.get("properties", {}), **_tune(entry)},
                "required": ["name", *table.get("required", [])],
                "additionalProperties": False,
            }
        )
    if kind in _NAMELESS:
        return {"anyOf": [*options, _nameless(kind, options)]}
    own = {"type": "string", "not": {"enum": list(registry.entries[kind])}}
    options.append(
        {
            "description": f"one of the suite's own tables [{kind}.NAME], with other parameters",
            "type": "object",
            "properties": {"name": own},
            "required": ["name"],
        }
    )
    options.append(
        {
            "description": "other parameters for the component of the recipe or suite that is extended",
            "type": "object",
            "not": {"required": ["name"]},
        }
    )
    return {"anyOf": options}


def _tune(entry: Entry) -> dict[str, Any]:
    """Return the key ``tune``, where a component has it: a list of values for any of its parameters."""
    if not entry.kind.tuned:
        return {}
    values = {
        name: {"type": "array", "items": about, "minItems": 1}
        for name, about in entry.table.json_schema().get("properties", {}).items()
    }
    about = "values to try, by parameter; validation labels choose one of all combinations"
    return {"tune": {"description": about, "type": "object", "properties": values, "additionalProperties": False}}


def _nameless(kind: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a table without a name: of the default, or of what is extended, so it may have any component's keys."""
    found: dict[str, Any] = {}
    for option in components:
        for name, about in option.get("properties", {}).items():
            if name != "name":
                found.setdefault(name, about)
    return {
        "description": f"parameters for the default {kind}, or for that of the recipe that is extended",
        "type": "object",
        "properties": found,
        "additionalProperties": False,
    }
