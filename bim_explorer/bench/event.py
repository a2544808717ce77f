"""The event-driven step against the dense fused one: exact RTRL with K = 1, one stream, SGD.

    event, dense      `engine.stepwise`: both kernels over steps in a row, an update each
    event update,     whole `Learner.update`s with K = 1, `event_driven` on and off: what a step
    dense update      costs with everything around it
    curve             event over firing rates and sizes M = N, and how many times dense takes

Spikes are random; the rate is that of the inputs, the only one that the cost of a block follows.

    event_vs_dense_at_5_percent    time of dense / time of event, M = N = 256, S = 8
    event_update_vs_dense_update   the same of whole updates
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bim_explorer.bench.result import Row, result
from bim_explorer.bench.timing import Options, Times, Work, interleaved, say
from bim_explorer.bench.work import (
    LEARNING_RATE,
    TINY,
    Sizes,
    learner_of,
    network_of,
    random_chunk,
    updates,
)
from bim_explorer.engine.stepwise import Stepwise

PAPER = Sizes(inputs=256, neurons=256, states=8, blocks=1, batch=1, chunk=1, classes=8, rate=0.05)
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
SIDES = (64, 128, 256, 512)
#: Steps of one call of a kernel.
STEPS = 256
SETTINGS: dict[str, Any] = {"optimizer": "sgd", "tau_psp_ms": 2.0, "dtype": "float32"}


def bench_event(options: Options) -> dict[str, Any]:
    """Time the step at 5 %, then along firing rates and sizes."""
    base = TINY._replace(blocks=1, batch=1, chunk=1) if options.tiny else PAPER
    say(f"event: M = N = {base.neurons}, {base.rate:.0%}")
    times = interleaved({**kernels(base, options), **whole_updates(base, options)}, options)
    for name in ("event", "dense"):
        times[name] = [seconds / STEPS for seconds in times[name]]
    rows = [_row(name, base, times) for name in times]
    ratios = {
        "event_vs_dense_at_5_percent": times.ratio("dense", "event"),
        "event_update_vs_dense_update": times.ratio("dense update", "event update"),
    }
    return result("event", options, rows + _curve(base, options), ratios)


def kernels(sizes: Sizes, options: Options) -> dict[str, Work]:
    """Both kernels on the same stream of `STEPS` steps, each with a network of its own."""
    chunk = random_chunk(sizes._replace(chunk=STEPS), np.random.default_rng(0))

    def steps(by_events: bool) -> Work:
        learner = Stepwise(network_of(sizes, options, **SETTINGS), LEARNING_RATE, by_events)
        return lambda: learner.run(chunk)

    return {"event": steps(True), "dense": steps(False)}


def whole_updates(sizes: Sizes, options: Options) -> dict[str, Work]:
    """Whole updates of a learner, a step each."""
    return {
        name: updates(learner_of(sizes, options, event_driven=by_events, **SETTINGS), sizes)
        for name, by_events in (("event update", True), ("dense update", False))
    }


def _curve(base: Sizes, options: Options) -> list[Row]:
    points = [base._replace(rate=rate) for rate in (RATES[:1] if options.tiny else RATES)]
    sides = (base.neurons,) if options.tiny else SIDES
    points += [base._replace(inputs=side, neurons=side) for side in sides]
    rows: list[Row] = []
    for sizes in dict.fromkeys(points):
        say(f"event: M = N = {sizes.neurons}, {sizes.rate:.0%}")
        times = interleaved(kernels(sizes, options), options)
        for name in times:
            times[name] = [seconds / STEPS for seconds in times[name]]
        event = _row("curve", sizes, Times({"curve": times["event"]}))
        rows.append({**event, "dense_over_event": times.ratio("dense", "event")})
    return rows


def _row(name: str, sizes: Sizes, times: Times) -> Row:
    seconds = times.median(name)
    return {
        "work": name,
        "M_and_N": sizes.neurons,
        "rate": sizes.rate,
        "us_per_step": 1e6 * seconds,
        "steps_per_s": 1 / seconds,
        "spread": times.spread(name),
    }
