"""A sweep on SLURM: workers are asked for as jobs, and end with the sweep.

    python -m pip install 'bim-explorer[sweeps]' dask-jobqueue
    python slurm.py study.toml /shared/runs/study

Run it on a login node, or in a small job of its own; it can be stopped and started again at any
time. The folder must be seen by all nodes.
"""

from __future__ import annotations

import sys

from dask_jobqueue import SLURMCluster

from bim_explorer import sweep


def main(file: str, folder: str) -> None:
    with SLURMCluster(
        queue="normal",
        cores=8,  # of one job,
        processes=8,  # so each of its workers has one
        memory="16GB",
        walltime="04:00:00",
        interface="ib0",
        worker_extra_args=["--lifetime", "3h50m", "--lifetime-stagger", "5m"],
    ) as cluster:
        cluster.adapt(minimum_jobs=1, maximum_jobs=20)
        result = sweep(file, out=folder, scheduler=cluster.scheduler_address)
    print(result)
    for failure in result.failed:
        print(failure.folder, failure.error)


if __name__ == "__main__":
    main(*sys.argv[1:])
