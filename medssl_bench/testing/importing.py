"""Whether a plugin reaches for the network as it is imported, found out in a process of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from medssl_bench.plugin.component import Component
from medssl_bench.session.asked import ask, asked
from medssl_bench.session.watching import make_watcher
from medssl_bench.testing.checking import Failed, require

if TYPE_CHECKING:
    from medssl_bench.plugin.manager import Plugins

_HERE = {"localhost", "127.0.0.1", "::1", "", None}
_EVENTS = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}


def imports_without_network(plugins: Plugins, name: str, component: Component | None) -> str:
    """Import a plugin, and make a watcher of it if one is given, in another process.

    Raises:
        Failed: it looks up, or connects to, another machine.
    """
    own = next(plugin for plugin in plugins.found if plugin.name == name)
    given = {  # without the other plugins, which may do so
        "block": sorted({plugin.name for plugin in plugins.found if plugin.origin != "built-in"} - {name}),
        "inline": {str(own.file.resolve()): own.source} if own.file else {},
        "component": component.to_data() if component else None,
    }
    answers, status = ask(__name__, plugins, given, number=1)
    if not answers:
        raise Failed(f"a process that imports it ends with status {status}")
    reached = answers[0]["reached"]
    require(not reached, f"it reaches for {', '.join(reached)} as it is imported; wait until a run begins")
    return "yes"


def main() -> None:
    """Import the plugin that standard input names, and say which machines that looked for."""
    reached: dict[str, None] = {}

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS:
            address = arguments[-1] if event in {"socket.connect", "socket.sendto"} else arguments[0]
            host = (
                address[0] if isinstance(address, tuple) else None if event.endswith(("connect", "sendto")) else address
            )
            if host not in _HERE:
                reached[host.decode() if isinstance(host, bytes) else str(host)] = None

    sys.addaudithook(note)
    with asked() as (given, plugins, answer):
        if given["component"]:
            make_watcher(plugins, Component.from_data(given["component"]))
        answer({"reached": list(reached)})
