"""STDP of 256 x 256 synapses at 5 % firing by Brian2, as a compiled standalone program.

    python brian2_stdp.py

The program is built once; a sample runs it and counts its own time, start-up left out. Spikes of
both sides are given, and a synapse moves at every spike of either side, with the weights bounded.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from protocol import one_core, serve

one_core()

import brian2 as b2  # noqa: E402
import numpy as np  # noqa: E402

SIDE, RATE, STEPS = 256, 0.05, 10_000
TRACE = "dpre/dt = -pre/(20*ms) : 1 (event-driven)\ndpost/dt = -post/(20*ms) : 1 (event-driven)"


def build(folder: Path) -> None:
    """Write and compile the program of `STEPS` steps of 1 ms."""
    b2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    b2.defaultclock.dt = 1 * b2.ms
    rng = np.random.default_rng(0)
    spikes = (np.nonzero(rng.random((STEPS, SIDE)) < RATE) for _ in range(2))
    pre, post = (b2.SpikeGeneratorGroup(SIDE, which, at * b2.ms) for at, which in spikes)
    synapses = b2.Synapses(
        pre,
        post,
        model=f"w : 1\n{TRACE}",
        on_pre="pre += 1\nw = clip(w - 1e-4*1.05*post, -3, 3)",
        on_post="post += 1\nw = clip(w + 1e-4*pre, -3, 3)",
    )
    synapses.connect()
    b2.Network(pre, post, synapses).run(STEPS * b2.ms)
    b2.device.build(directory=str(folder), run=False, with_output=False)


def main() -> None:
    """Serve samples of the built program."""
    folder = Path(tempfile.mkdtemp(prefix="bim-brian2-"))
    try:
        build(folder)

        def run() -> int:
            subprocess.run([folder / "main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            return STEPS

        serve(run, "brian2", "C++ standalone program, event-driven, its start-up included; B = 1")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
