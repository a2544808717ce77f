"""Pictures of sweeps: what they show, whose mean it is, and the way back to the runs."""

from __future__ import annotations

import json

import holoviews as hv
import numpy as np
import pytest
import xarray
from bokeh.models import TapTool, Title
from small_sweep import small_plan

from bim_explorer.core.errors import ConfigError
from bim_explorer.store.lock import FolderLock
from bim_explorer.sweeps.paths import SweepFolder, write_outcome
from bim_explorer.sweeps.result import open_sweep
from bim_explorer.sweeps.runner import Standing
from bim_explorer.sweeps.sweep import opened
from bim_explorer.sweeps.trials import Trials
from bim_explorer.views.sweeps import curves, heat_map, parallel_coordinates, pareto, standing
from bim_explorer.views.sweeps.page import LiveSweep, SweepView
from bim_explorer.views.sweeps.pareto import on_front

hv.extension("bokeh", logo=False)

BALANCE, SPARSITY, SEED = [0.0, 0.5, 1.0], [0.0, 0.9], [0, 1]
DIMS = ("balance", "target_sparsity", "seed")
PICTURES = [heat_map, curves, parallel_coordinates, pareto]


def made(drawn: bool = False) -> xarray.Dataset:
    """A synthetic dataset: validation is balance + sparsity / 10 + seed / 100."""
    balance, sparsity, seed = np.meshgrid(BALANCE, SPARSITY, SEED, indexing="ij")
    validation = balance + sparsity / 10 + seed / 100
    run = np.array([f"study/{i:04d}" for i in range(12)], object).reshape(3, 2, 2)
    ends = {"validation": validation, "metric": validation, "loss": 2 - validation}
    ends |= {"sparsity": sparsity, "firing_rate": 0.1 + 0.1 * balance}
    variables = {f"final_{name}": (DIMS, value) for name, value in ends.items()}
    rows = np.stack([validation * 0.5, validation], axis=-1)
    curves_ = {"validation": ((*DIMS, "update"), rows), "loss": ((*DIMS, "update"), 2 - rows)}
    places = dict(zip(DIMS, (BALANCE, SPARSITY, SEED), strict=True)) | {"update": [10, 20]}
    data = xarray.Dataset({**variables, **curves_, "run": (DIMS, run)}, places)
    data.attrs["metric"] = "accuracy"
    return data.stack(draw=DIMS).reset_index("draw") if drawn else data


def layer(overlay, kind):
    return next(element for element in overlay if isinstance(element, kind))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("picture", PICTURES)
def test_every_mark_leads_back_to_its_runs(picture, dark):
    figure = hv.render(picture(made(), dark=dark))
    assert len([tool for tool in figure.tools if isinstance(tool, TapTool)]) == 1
    (tap,) = figure.select(TapTool)
    columns = [r.data_source.data for r in figure.renderers if hasattr(r, "data_source")]
    runs = {run for data in columns for run in data.get("run", [])}
    assert runs
    assert runs <= set(made().run.values.ravel())
    assert "bim-explorer runs show" in tap.callback.code
    assert any(isinstance(part, Title) for part in figure.below)


def test_a_cell_is_the_mean_of_its_seeds_and_names_them():
    heat = layer(heat_map(made(), "balance", "target_sparsity"), hv.HeatMap)
    cells = heat.dframe().set_index(["balance", "target_sparsity"])
    cell = cells.loc[("0.5", "0.9")]
    assert cell["validation"] == pytest.approx(0.5 + 0.09 + 0.005)
    assert cell["spread"] == pytest.approx(0.005)
    assert cell["n"] == 2
    assert cell["folders"] == "0006 0007, in study"


def test_axes_are_chosen_if_none_are_asked_for():
    overlay = heat_map(made().isel(target_sparsity=[0]))
    assert [dim.name for dim in layer(overlay, hv.HeatMap).kdims] == ["balance", "seed"]


def test_random_axes_are_dots():
    overlay = heat_map(made(drawn=True), "balance", "target_sparsity")
    dots = layer(overlay, hv.Points)
    assert len(dots) == 12
    assert [dim.name for dim in dots.kdims] == ["balance", "target_sparsity"]


def test_curves_are_means_with_their_spread():
    overlay = curves(made(), by="balance")
    lines = {element.label: element for element in overlay if isinstance(element, hv.Curve)}
    assert set(lines) == {"0", "0.5", "1"}
    ends = [0.5 + sparsity / 10 + seed / 100 for sparsity in SPARSITY for seed in SEED]
    assert lines["0.5"].dimension_values(1)[-1] == pytest.approx(np.mean(ends))
    bands = [element for element in overlay if isinstance(element, hv.Spread)]
    assert bands[1].dimension_values("spread")[-1] == pytest.approx(np.std(ends))


def test_random_axes_are_parted_for_curves():
    overlay = curves(made(drawn=True), by="balance")
    assert 1 < len([element for element in overlay if isinstance(element, hv.Curve)]) <= 4


def test_a_line_a_run_stands_at_its_values():
    lines = layer(parallel_coordinates(made()), hv.Contours).split(datatype="dictionary")
    assert len(lines) == 12
    best = max(lines, key=lambda line: line["value"])
    assert best["run"] == "study/0011"
    # balance, target sparsity and seed are at their tops, and so is what was reached
    assert [best["height"][i] for i in (0, 1, 2, -1)] == [1.0, 1.0, 1.0, 1.0]


def test_the_front_is_what_no_other_run_beats():
    gain, thrift = np.array([1.0, 2.0, 1.5, 2.0]), np.array([2.0, 1.0, 0.5, 1.0])
    assert on_front(gain, thrift).tolist() == [True, True, False, True]


def test_the_front_knows_which_way_is_better():
    def front(data, **options):
        dots = [e for e in pareto(data, **options) if e.label == "not beaten by any other"]
        return set(dots[0].dimension_values("run"))

    # all at once: the best score is also the sparsest
    assert front(made()) == {"study/0011"}
    # spikes cost: the best score of each rate, and rates grow with balance
    assert front(made(), against="firing_rate") == {"study/0003", "study/0007", "study/0011"}
    worse = made()
    worse.attrs["metric"] = "bits_per_character"
    assert front(worse) == {"study/0000", "study/0002"}


def test_runs_without_a_value_are_left_out():
    data = made()
    data["final_validation"][0] = np.nan
    heat = layer(heat_map(data, "balance", "target_sparsity"), hv.HeatMap)
    assert set(heat.dimension_values("balance")) >= {"0.5", "1"}
    assert len(layer(parallel_coordinates(data), hv.Contours).split()) == 8


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (lambda data: heat_map(data, "balence"), "unknown axis 'balence'; did you mean 'balance'?"),
        (lambda data: curves(data, "balance", "lss"), "unknown variable over updates 'lss'"),
        (lambda data: pareto(data, "acc"), "unknown figure 'acc'"),
        (lambda data: heat_map(data, "seed", "seed"), "a heat map wants two axes, got seed twice"),
    ],
)
def test_an_unknown_name_lists_the_known_ones(draw, complaint):
    with pytest.raises(ConfigError) as refusal:
        draw(made())
    assert complaint in str(refusal.value)


@pytest.fixture
def watched(tmp_path):
    """A sweep of four runs of which none has begun."""
    plan = small_plan()
    with opened(plan.to_json(), "sweep", tmp_path / "study"):
        return SweepFolder(tmp_path / "study")


def ends(folder, index, status="done", **told):
    run = folder.run(index)
    metrics = {"accuracy": 0.5 + index / 10}
    figures = {"loss": 1.0, "metrics": metrics, "sparsity": 0.0, "firing_rate": 0.1}
    write_outcome(run, {"status": status, "seconds": 2.0, "attempts": 1, **figures, **told})


def test_a_page_follows_the_folder(watched):
    view = SweepView(watched.path)
    html = view._html
    assert "0 / 4" in html["cards"].object
    assert view._plots["heat"].object is None
    for index in range(3):
        ends(watched, index)
    view.look()
    assert "3 / 4" in html["cards"].object
    assert "2.0 s" in html["cards"].object
    assert "0.7" in html["cards"].object
    assert view._plots["heat"].object is not None
    assert html["failures"].object == ""
    ends(watched, 3, "failed", error="boom <b>")
    (watched.run(3) / "error.txt").write_text("Traceback …")
    view.look()
    assert "boom &lt;b&gt;" in html["failures"].object
    assert "Traceback …" in html["failures"].object
    assert html["runs"].object.count("bim-run-failed") == 1
    assert "done" in html["cards"].object


def test_a_sweep_that_nobody_runs_says_how_it_goes_on(watched):
    watched.run(0).mkdir()
    (watched.run(0) / "config.json").write_text("{}")
    view = SweepView(watched.path)
    html = view._html
    assert f"bim-explorer sweep {watched.plan} --out {watched.path}" in html["head"].object
    assert "1 stopped" in html["runs"].object
    assert "none running" in html["cards"].object
    lock = FolderLock(watched.lock)
    view.look()
    assert "Nobody runs" not in html["head"].object
    assert "1 running" in html["runs"].object
    lock.release()
    for index in range(4):
        ends(watched, index)
    view.look()
    assert "Nobody runs" not in html["head"].object


def test_a_search_goes_on_by_its_own_call(watched):
    result = open_sweep(watched.path)
    result.plan = Trials(result.plan, {0: result.plan.cells[0].changes})
    head = standing.head(result)
    assert "Nobody runs" in head
    assert "the same call again" in head
    assert "bim-explorer sweep" not in head


def test_a_search_that_has_tried_nothing_yet_is_shown(watched):
    plan = json.loads(watched.plan.read_text())
    watched.plan.write_text(json.dumps({**plan, "search": "optuna"}))
    view = SweepView(watched.path)
    assert "0 / 0" in view._html["cards"].object
    assert view._plots["heat"].object is None


def test_pictures_are_drawn_anew_only_when_a_run_has_ended(watched):
    ends(watched, 0)
    view = SweepView(watched.path)
    before = view._plots["heat"].object
    view.look()
    assert view._plots["heat"].object is before
    ends(watched, 1)
    view.look()
    assert view._plots["heat"].object is not before


def test_controls_choose_what_is_drawn(watched):
    for index in range(4):
        ends(watched, index)
    view = SweepView(watched.path)
    view.x, view.y, view.value = "seed", "balance", "loss"
    heat = layer(view._plots["heat"].object, hv.HeatMap)
    assert [dim.name for dim in heat.kdims] == ["seed", "balance"]
    assert heat.vdims[0].name == "loss"


def test_what_has_ended_is_not_read_again(watched, monkeypatch):
    ends(watched, 0)
    result = open_sweep(watched.path)
    first, *others = result.records
    now = result.again()
    assert now.records[0] is first
    assert all(new is not old for new, old in zip(now.records[1:], others, strict=True))


def test_a_notebook_cell_follows_the_runs(watched, monkeypatch):
    def standing(done):
        return Standing(4, done, 0, 1, 1.0, None, watched, None)

    monkeypatch.setattr("bim_explorer.views.sweeps.page.LOOK_MS", 0)
    live = LiveSweep()
    live(standing(0))
    assert "0 / 4" in live._view._html["cards"].object
    ends(watched, 0)
    live(standing(1))
    assert "1 / 4" in live._view._html["cards"].object
