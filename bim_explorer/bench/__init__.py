"""What is timed: benchmarks of the engine, each a function from `Options` to a result.

A result is `{"name", "machine", "rows", "ratios"}`; a benchmark is one module here and one line
in `BENCHES`. They are part of the package, above `analysis`, because the installed command
`bim-explorer bench` needs them and because they time nothing but the package's own public parts;
the programs that need other packages, and the recorded figures, are in `benchmarks/`.
"""

from __future__ import annotations

from bim_explorer.core.registry import Registry

BENCHES = Registry(
    "benchmark",
    {
        "engine": "bim_explorer.bench.engine:bench_engine",
        "step": "bim_explorer.bench.step:bench_step",
        "event": "bim_explorer.bench.event:bench_event",
        "stdp": "bim_explorer.bench.stdp:bench_stdp",
        "roofline": "bim_explorer.bench.roofline:bench_roofline",
        "memory": "bim_explorer.bench.memory:bench_memory",
        "fidelity": "bim_explorer.bench.fidelity:bench_fidelity",
        "scaling": "bim_explorer.bench.scaling:bench_scaling",
        "pruning": "bim_explorer.bench.pruning:bench_pruning",
        "page": "bim_explorer.bench.checkout:bench_page",
        "peers": "bim_explorer.bench.checkout:bench_peers",
    },
    group="bim_explorer.bench",
)
