"""STDP window: Δw of a synapse against the Δt of its spike pair, as configured and as it was.

The curve is BIM eq. 6, W(Δt) = A₊ e^{−Δt/τ₊} for Δt ≥ 0 and −A₋ e^{Δt/τ₋} for Δt < 0, times
the change that one pair of window height 1 makes. The points are what one update did to sampled
synapses of the running network, parted into STDP, gradient and whole. An update sums many pairs
of many streams, so the one pair has an axis of its own at the right, with the same zero.

Δt = t_post − t_pre [ms]; a pair at Δt = 0 potentiates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import numpy as np

from bim_explorer.store.snapshot import Pairs
from bim_explorer.views import theme

WINDOW = "window W(Δt), one pair (right)"
STDP = "STDP part"
GRADIENT = "gradient part"
TOTAL = "whole change"

#: Time constants on either side of 0 that the plot shows.
REACH = 4.0

_POINTS = 120
_CHANGE = ("change", "Δw of an update")
#: Beyond every axis.
_FAR = 1e6


def window(delta_t_ms: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
    """Height of the STDP window at Δt [ms] (BIM eq. 6)."""
    later = values["a_plus"] * np.exp(-np.abs(delta_t_ms) / values["tau_plus_ms"])
    earlier = -values["a_minus"] * np.exp(-np.abs(delta_t_ms) / values["tau_minus_ms"])
    return np.where(delta_t_ms >= 0, later, earlier)


def window_reach(values: Mapping[str, Any]) -> float:
    """Largest |Δt| [ms] that the plot needs to show both arms of the window."""
    return REACH * max(values["tau_plus_ms"], values["tau_minus_ms"])


def window_columns(values: Mapping[str, Any], scale: float) -> dict[str, np.ndarray]:
    """The configured curve: both arms, with a gap at 0.

    Args:
        values: Flat parameters, of which A₊, A₋, τ₊ and τ₋ are used.
        scale: Δw of one pair of window height 1 (`Pairs.pair_scale`).
    """
    arm = window_reach(values) * np.linspace(0, 1, _POINTS) ** 2
    before = -arm[::-1]
    before[-1] = -1e-9
    delta_t = np.concatenate([before, [np.nan], arm])
    return {"delta_t": delta_t, "window": scale * window(delta_t, values)}


def pair_columns(pairs: Pairs) -> dict[str, dict[str, np.ndarray]]:
    """The sampled synapses as columns of the three sets of points, by label."""
    parts = {STDP: pairs.stdp, GRADIENT: pairs.gradient, TOTAL: pairs.total}
    return {
        label: {"delta_t": pairs.delta_t_ms.astype(float), "change": part.astype(float)}
        for label, part in parts.items()
    }


def _points(label: str, columns: Mapping[str, np.ndarray], colour: str, marker: str) -> hv.Scatter:
    points = hv.Scatter((columns["delta_t"], columns["change"]), "delta_t", _CHANGE, label=label)
    return points.opts(
        color=colour,
        marker=marker,
        size=5,
        fill_alpha=0.55,
        line_alpha=0.0,
        tools=["hover"],
        hover_tooltips=[
            (label, "@{change}{%.3g}"),
            ("Δt", "@{delta_t}{%.3g} ms"),
        ],
    )


def stdp_plot(
    curve: Mapping[str, np.ndarray],
    points: Mapping[str, Mapping[str, np.ndarray]],
    *,
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    window_lim: tuple[float, float],
    dark: bool = False,
    hooks: Sequence[Any] = (),
) -> hv.Overlay:
    """The configured window with sampled synapses on top.

    Args:
        curve: From `window_columns`.
        points: From `pair_columns`.
        xlim: Range of Δt [ms].
        ylim: Range of Δw of an update.
        window_lim: Range of Δw of one pair.
        dark: For a dark page.
        hooks: HoloViews hooks, run last.
    """
    look = theme.tokens(dark)
    cross = [(-_FAR, 0, _FAR, 0), (0, -_FAR, 0, _FAR)]
    zeros = hv.Segments(cross, ["delta_t", _CHANGE, "delta_t_end", "change_end"], label="zeros")
    layers = [
        zeros.opts(color=look.muted, line_width=1, line_alpha=0.5, show_legend=False, ylim=ylim),
        _points(GRADIENT, points[GRADIENT], look.gradient, "square"),
        _points(STDP, points[STDP], look.stdp, "triangle"),
        _points(TOTAL, points[TOTAL], look.total, "circle"),
        hv.Curve(
            (curve["delta_t"], curve["window"]),
            "delta_t",
            ("window", "Δw of one pair"),
            label=WINDOW,
        ).opts(color=look.window, line_width=2.5, ylim=window_lim),
    ]
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            **theme.plot_opts(dark, hooks),
            **theme.legend_opts(dark),
            title="Δw of sampled synapses against Δt",
            xlabel="Δt = t_post − t_pre (ms)",
            xlim=xlim,
            multi_y=True,
        )
    )
