"""The server: one process, one hub, a page for every visitor.

Everything the browser needs comes from this process, so the page works without a network.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document
from tornado.websocket import WebSocketClosedError

from bim_explorer.config import Config
from bim_explorer.core.errors import BimError, ConfigError
from bim_explorer.service.client import RunClient
from bim_explorer.service.hub import Hub, shared_hub
from bim_explorer.service.process import step_back
from bim_explorer.views import shell
from bim_explorer.views.board import Board
from bim_explorer.views.explorer import Explorer

log = logging.getLogger(__name__)

#: What the page needs of Panel: it finds its way back after a lost connection, and can notify.
EXTENSION: dict[str, Any] = {"reconnect": True, "notifications": True}
#: Loggers that report a visitor who closes the page in the middle of a message.
_HARMLESS = ("asyncio", "bokeh.server.views.ws")
_ANYWHERE = ("0.0.0.0", "::", "")


def page(config: Config | None = None, hub: Hub | None = None) -> Any:
    """The page of the visitor whose session this is; where no run can be had it says why."""
    hub = hub or shared_hub()
    try:
        return Explorer(config, hub).page
    except BimError as error:
        return shell.refusal(str(error), [run for run in hub.runs if run.standing])
    except Exception as error:
        log.exception("a page could not be built")
        return shell.refusal(f"A fault of the program: {type(error).__name__}: {error}", [])


def serve(
    config: Config | None = None,
    port: int = 5006,
    address: str = "localhost",
    show: bool = False,
) -> None:
    """Serve pages until the process is ended.

    Args:
        config: What a page runs whose address asks for nothing else.
        port: Port to listen on; 0 takes any free one.
        address: Where to listen; `0.0.0.0` lets other machines in.
        show: Open the page in this machine's browser.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's.
    """
    hub = shared_hub()

    def begin() -> None:
        step_back()
        warm_up()

    try:
        serve_page(lambda: page(config, hub), port, address, show, begin)
    finally:
        hub.close()


def serve_page(
    make: Callable[[], Any],
    port: int = 5006,
    address: str = "localhost",
    show: bool = False,
    begin: Callable[[], None] | None = None,
) -> None:
    """Serve any page until the process is ended.

    Args:
        make: Makes the page of a visitor.
        port: Port to listen on; 0 takes any free one.
        address: Where to listen; `0.0.0.0` lets other machines in.
        show: Open the page in this machine's browser.
        begin: Called once the server runs.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's.
    """
    port = _free_port(address, port)
    pn.extension(**EXTENSION)
    for name in _HARMLESS:
        logging.getLogger(name).addFilter(_is_fault)
    server = pn.io.server.get_server(
        {"/": make},
        port=port,
        address=address,
        websocket_origin=_origins(address, port),
        title=shell.TITLE,
        admin=False,
    )
    place = "localhost" if address in _ANYWHERE else address
    print(f"{shell.TITLE} runs at http://{place}:{port}/ (Ctrl+C ends it)", flush=True)
    if begin:
        server.io_loop.add_callback(begin)
    if show:
        server.io_loop.add_callback(server.show, "/")
    server.run_until_shutdown()


def warm_up() -> None:
    """Draw the plots once for nobody: a process's first drawing costs seconds, the next do not."""
    run = RunClient()
    run.values = Config().values()
    board = Board(run)
    board.complete()
    shell.page([], [shell.plots(board)], dark=False).get_root(Document())


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether a log entry tells of more than a visitor who has left."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, WebSocketClosedError) and (
        "as connection was closed" not in record.getMessage()
    )


def _free_port(address: str, port: int) -> int:
    """The port, or any free one for 0; a clear refusal if it is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} of {address} cannot be used ({error.strerror}): choose another port"
            ) from error
        return probe.getsockname()[1]


def _origins(address: str, port: int) -> list[str]:
    """Pages that may open a websocket: this machine's own, or any where others are let in."""
    if address in _ANYWHERE:
        return ["*"]
    return [f"{name}:{port}" for name in {address, "localhost", "127.0.0.1"}]
