"""The worker process's way in: threads, priority, signals; then the loop.

Only the standard library is loaded before the number of threads stands in the environment:
numpy, torch and numba read it when they are imported.
"""

from __future__ import annotations

import logging
import os
import signal
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bim_explorer.training.recorder import Recorder

log = logging.getLogger(__name__)

#: Who keeps a run, as "module:attribute": what a worker trains with unless told otherwise.
RECORDER = "bim_explorer.training.recorder:Recorder"
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def main(
    connection: Connection, threads: int, recorder: str = RECORDER, warm: bool = False
) -> None:
    """Serve runs over a pipe until told to stop or until the parent is gone.

    Args:
        connection: The pipe; commands come in, reports go out.
        threads: Threads to compute with.
        recorder: The recorder class, as "module:attribute".
        warm: Get everything ready before the first command is looked at.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")

    from bim_explorer.service.channel import Channel
    from bim_explorer.service.loop import Loop
    from bim_explorer.service.messages import Failed

    channel = Channel(connection)
    module, _, attribute = recorder.partition(":")
    try:
        recorder_type = getattr(import_module(module), attribute)
    except Exception as error:
        log.exception("the engine cannot be loaded")
        channel.send(Failed(f"The engine cannot be loaded: {error}", fatal=True))
        return
    if warm:
        warm_up(recorder_type)
    loop = Loop(channel, recorder_type)
    signal.signal(signal.SIGTERM, lambda number, frame: loop.end())
    loop.run()


def warm_up(recorder_type: type[Recorder]) -> None:
    """Train a tiny network for a moment: imports are done and kernels compiled after it."""
    from bim_explorer.config import Config

    tiny = Config(d_model=2, d_state=1, batch=1, chunk=2)
    try:
        with TemporaryDirectory() as folder:
            recorder = recorder_type.open(tiny.values(), Path(folder))
            for _ in range(2):
                recorder.advance()
            recorder.writer.close()
    except Exception:
        log.exception("the engine could not be warmed up")
