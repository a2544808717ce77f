"""Every backend computes what the torch reference computes."""

from __future__ import annotations

import os
from copy import deepcopy
from importlib import import_module

import numpy as np
import pytest
import torch

from bim_explorer.functional.adjoint import BlockTrace
from bim_explorer.functional.readout import ReadoutParameters, Seen
from bim_explorer.functional.rtrl import Families, Influence, places
from bim_explorer.functional.selective_ssm import BlockParameters, softplus_and_slope
from bim_explorer.functional.stdp import StdpTraces, Window
from bim_explorer.functional.traces import Presynaptic
from bim_explorer.kernels import kernels_for, numba_dendrite, numba_kernels, torch_kernels
from bim_explorer.kernels.numba_lanes import first, full, lanes, load, put, spread, total
from bim_explorer.kernels.numba_math import exp_lane, jit, jit_inline, log1p_lane

#: The backend under test: numba, or what `test_triton.py` asks for in its own process.
NAME = os.environ.get("BIM_TEST_BACKEND", "numba")
BACKEND = import_module(f"bim_explorer.kernels.{NAME}_kernels")
if "BIM_TEST_TILE" in os.environ:
    BACKEND.TILE = int(os.environ["BIM_TEST_TILE"])

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
FAMILIES = [Families(a, b) for a in (True, False) for b in (True, False)]
SIZES = pytest.mark.parametrize(
    ("batch", "steps", "states", "neurons"), [(1, 1, 1, 1), (2, 5, 2, 3), (3, 8, 3, 37)]
)


def random(*shape: int, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.rand(shape, generator=generator, dtype=dtype)


def close(ours, reference, dtype):
    """Numbers of every field, within the backend's tolerance."""
    if isinstance(reference, tuple):
        for a, b in zip(ours, reference, strict=True):
            close(a, b, dtype)
        return
    if reference is None:
        assert ours is None
        return
    scale = max(1.0, float(reference.abs().max())) if reference.numel() else 1.0
    torch.testing.assert_close(
        ours, reference, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale
    )


def both(name, *arguments):
    """What both backends make of the same arguments."""
    return [getattr(kernels, name)(*deepcopy(arguments)) for kernels in (BACKEND, torch_kernels)]


def keeps(batch, steps, dtype):
    return (random(batch, steps, dtype=dtype, seed=9) > 0.2).to(dtype)


def presynaptic(batch, steps, dtype, order=1, rate=0.3, inputs=5):
    """What arrives in a chunk; two filters and a scale with `order` 2."""
    return Presynaptic(
        spikes=(random(batch, steps, inputs, dtype=dtype, seed=11) < rate).to(dtype),
        before=random(order, batch, inputs, dtype=dtype, seed=20),
        keep=keeps(batch, steps, dtype),
        decay=0.8,
        scale=0.4 if order == 2 else 1.0,
    )


def dendrite_case(batch, steps, states, neurons, dtype, **arriving):
    """Arguments of `dendrite`."""
    pre = presynaptic(batch, steps, dtype, **arriving)
    inputs = pre.spikes.shape[2]
    shapes = [(neurons, inputs)] * 2 + [(neurons,)] + [(states, inputs), (states,)] * 2
    weights = [random(*shape, dtype=dtype, seed=i) - 0.5 for i, shape in enumerate(shapes)]
    A_log, D = random(neurons, states, dtype=dtype, seed=8), random(neurons, dtype=dtype, seed=9)
    return pre, BlockParameters(*weights, A_log, D), random(batch, states, neurons, dtype=dtype)


@DTYPES
def test_exp_of_a_lane_is_exp(dtype):
    @jit
    def run(x, y):
        for i in range(x.size):
            y[i] = exp_lane(x[i])

    x = torch.linspace(-80, 20, 100_001, dtype=dtype)
    y = torch.empty_like(x)
    run(x.numpy(), y.numpy())
    error = (y.double() / torch.exp(x.double()) - 1).abs().max()
    assert error < (3e-7 if dtype is torch.float32 else 1e-15)


@DTYPES
def test_log1p_of_a_lane_is_log1p(dtype):
    @jit
    def run(x, y):
        for i in range(x.size):
            y[i] = log1p_lane(x[i])

    x = torch.cat([torch.linspace(1e-3, 1, 10_001), torch.logspace(-30, -3, 1_001)]).to(dtype)
    y = torch.empty_like(x)
    run(x.numpy(), y.numpy())
    error = (y.double() / torch.log1p(x.double()) - 1).abs().max()
    assert error < (3e-7 if dtype is torch.float32 else 1e-15)
    run(np.zeros(1, x.numpy().dtype), y.numpy())
    assert y[0] == 0.0


@DTYPES
def test_softplus_and_its_slope_in_lanes(dtype):
    @jit
    def run(x, slope):
        numba_dendrite.softplus_and_slope(x, slope)

    x = torch.linspace(-60, 60, 6007, dtype=dtype)
    ours, slope = x.clone(), torch.empty_like(x)
    run(ours.numpy(), slope.numpy())
    close((ours, slope), softplus_and_slope(x), dtype)


@DTYPES
@pytest.mark.parametrize("size", [1, 5, 16, 21, 64])
def test_what_lies_behind_a_row_is_left_alone(dtype, size):
    """Lanes of its rest that are not meant are neither read nor written."""

    @jit_inline
    def step(x, i, some):
        put(x, i, some, load(x, i, some) * spread(x.dtype.type(2.0)))
        return load(x, i, some)

    @jit
    def double(x):
        rest, whole = x.size % lanes(x), spread(x.dtype.type(0.0))
        for i in range(0, x.size - rest, lanes(x)):
            whole += step(x, i, full(x))
        if rest:
            whole += step(x, x.size - rest, first(x, rest))
        return total(whole)

    memory = np.full(size + 64, np.nan, random(1, dtype=dtype).numpy().dtype)
    memory[:size] = np.arange(size)
    assert double(memory[:size]) == size * (size - 1)
    assert np.array_equal(memory[:size], 2 * np.arange(size))
    assert np.isnan(memory[size:]).all()


@DTYPES
def test_membranes_agree(dtype):
    y, keep = 3 * random(2, 40, 6, dtype=dtype), keeps(2, 40, dtype)
    ours, reference = both("membrane", y, keep, random(2, 6, dtype=dtype, seed=3), 0.7, 0.6, 1.0)
    assert reference.z.any(), "no neuron spikes: the reset is not tested"
    close(ours, reference, dtype)


def traces_of(case, dtype):
    """A chunk's trace, as a block leaves it on either backend; the soma is the reference's."""
    pre, _, h_0 = case
    dendrites = both("dendrite", *case)
    v = random(len(h_0), h_0.shape[2], dtype=dtype)
    soma = torch_kernels.membrane(dendrites[1].y, pre.keep, v, 0.7, 0.6, 1.0)
    soma = soma._replace(slope=random(*soma.v.shape, dtype=dtype))
    return [BlockTrace(pre, dendrite, soma) for dendrite in dendrites]


def ways_back(case, traces, dtype, reads_z=True, below=False, carried=None):
    """What a chunk's losses ask for on both backends; of a neuron's own gain or of one for all."""
    pre, theta, _ = case
    d_y, d_z = (random(*traces[1].y.shape, dtype=dtype, seed=seed) - 0.5 for seed in (10, 5))
    gain = 0.6 if len(pre.before) == 1 else random(len(theta.D), dtype=dtype, seed=31)
    told = (d_y, d_z if reads_z else None, theta, gain, below)
    return [
        kernels.adjoint(trace, *told, deepcopy(carried))
        for kernels, trace in zip((BACKEND, torch_kernels), traces, strict=True)
    ]


def dendrites_agree(case, dtype):
    """What spikes bring, and the way back with and without a block below, with and without V."""
    traces = traces_of(case, dtype)
    ours, reference = (trace.dendrite for trace in traces)
    close(ours[:3], reference[:3], dtype)
    for below in (True, False):
        back, known = ways_back(case, traces, dtype, reads_z=below, below=below)
        close(back, known, dtype)
        assert (back.spikes is not None) == below


@DTYPES
@SIZES
def test_dendrites_and_their_adjoints_agree(dtype, batch, steps, states, neurons):
    dendrites_agree(dendrite_case(batch, steps, states, neurons, dtype), dtype)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("order", [1, 2])
def test_dendrites_agree_at_every_rate_and_with_two_filters(order, rate):
    case = dendrite_case(2, 33, 2, 9, torch.float64, order=order, rate=rate, inputs=39)
    dendrites_agree(case, torch.float64)


def influences_agree(case, families, dtype, loss=True, place=None):
    """Influences, and the gradient that a chunk's loss takes from them, are the reference's."""
    traces, (pre, theta, h_0) = traces_of(case, dtype), case
    before = Influence.zeros(len(h_0), theta, families, place)
    for index, each in enumerate(before):
        if each is not before.place:
            each.copy_(random(*each.shape, dtype=dtype, seed=12 + index))
    if not loss:
        ours, reference = (
            kernels.carry(deepcopy(before), trace, theta.D, 0.6, families)
            for kernels, trace in zip((BACKEND, torch_kernels), traces, strict=True)
        )
        close(ours, reference, dtype)
        return
    ours, reference = ways_back(case, traces, dtype, below=True, carried=(before, families))
    close(ours, reference, dtype)
    moved = (ours.influence.sparse, before.sparse)
    if families.dense:
        moved = (ours.influence.keyed, before.keyed)
    assert not torch.equal(*moved)
    alone = ways_back(case, traces, dtype, below=True)[1]
    same = [torch.equal(a, b) for a, b in zip(alone.theta, ours.theta, strict=True)]
    assert not all(same) or not pre.keep[:, 0].any(), "the past adds nothing"


@DTYPES
@SIZES
@pytest.mark.parametrize("families", FAMILIES)
def test_influences_agree(dtype, batch, steps, states, neurons, families):
    influences_agree(dendrite_case(batch, steps, states, neurons, dtype), families, dtype)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("order", [1, 2])
def test_influences_agree_at_every_rate_and_with_two_filters(order, rate):
    case = dendrite_case(2, 33, 2, 9, torch.float64, order=order, rate=rate, inputs=40)
    influences_agree(case, Families(), torch.float64)


def some_places(theta, share):
    """Synapses of which a share lives, the first neurons' none."""
    neurons, inputs = theta.W.shape
    alive = random(neurons, inputs, dtype=torch.float64, seed=3) < share
    alive[: neurons // 4] = False
    return places(alive)


@DTYPES
@pytest.mark.parametrize("share", [0.1, 1.0])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("families", FAMILIES)
def test_influences_of_some_synapses_agree(dtype, share, order, families):
    case = dendrite_case(2, 12, 2, 19, dtype, order=order, rate=0.5)
    told = (case, families._replace(dense=False), dtype)
    for loss in (True, False):
        influences_agree(*told, loss=loss, place=some_places(case[1], share))


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("families", FAMILIES)
def test_influences_of_some_synapses_are_those_among_all(share, families):
    case = dendrite_case(2, 9, 2, 19, torch.float64)
    traces, (_, theta, h_0) = traces_of(case, torch.float64), case
    place, apart = some_places(theta, share), families._replace(dense=False)
    before = Influence.zeros(len(h_0), theta, families)
    before.keyed.copy_(random(*before.keyed.shape, dtype=torch.float64))
    some = before.kept_as(theta, families, apart, place)
    whole = ways_back(case, traces, torch.float64, carried=(before, families))
    parts = ways_back(case, traces, torch.float64, carried=(some, apart))
    for theirs, ours in zip(whole, parts, strict=True):
        same = theirs.influence.kept_as(theta, families, apart, place)
        close(ours.influence, same, torch.float64)
        close(ours.theta[1:], theirs.theta[1:], torch.float64)
        ours_W, theirs_W = (each.theta.W.T.flatten()[place] for each in (ours, theirs))
        close(ours_W, theirs_W, torch.float64)


def test_influences_agree_without_a_loss():
    influences_agree(
        dendrite_case(2, 5, 2, 3, torch.float64), Families(), torch.float64, loss=False
    )


@DTYPES
@pytest.mark.parametrize(
    ("batch", "steps", "inputs", "neurons", "rate"),
    [(3, 20, 7, 5, 0.3), (10, 70, 19, 16, 0.1), (1, 33, 8, 24, 0.0), (1, 32, 16, 9, 1.0)],
)
def test_pairs_agree(dtype, batch, steps, inputs, neurons, rate):
    pre, post = ((random(batch, steps, n, dtype=dtype) < rate).to(dtype) for n in (inputs, neurons))
    traces = StdpTraces(random(batch, inputs, dtype=dtype), random(batch, neurons, dtype=dtype))
    window = Window(0.9, 1.2, 0.94, 0.97)
    told = (pre, post, keeps(batch, steps, dtype), traces, window)
    ours, reference = both("stdp", *told)
    close(ours, reference, dtype)
    for followed in both("stdp_traces", *told):
        close(followed, reference[1], dtype)


def judge_case(dtype, classes, neurons=19, blocks=2, reads=(True, True)):
    """What a readout sees, its parameters, and what is asked of it; somewhere nothing is."""
    seen = [
        Seen(*(random(3, 7, neurons, dtype=dtype, seed=40 + i) if r else None for r in reads))
        for i in range(blocks)
    ]
    shapes = [(blocks, classes, neurons)] * 2 + [(blocks, classes)]
    weights = [4 * random(*shape, dtype=dtype, seed=50 + i) for i, shape in enumerate(shapes)]
    target = torch.arange(21).reshape(3, 7) % classes
    mask = random(3, 7, dtype=dtype, seed=2) > 0.3
    target[~mask] = -1
    return seen, ReadoutParameters(*weights), target, mask


def judgements_agree(case, apart, dtype):
    ours, reference = both("judge", *case, apart)
    close(ours[:2], reference[:2], dtype)
    close(tuple(ours.d_seen), tuple(reference.d_seen), dtype)
    assert ours.gradient.keys() == reference.gradient.keys()
    for name, slope in reference.gradient.items():
        close(ours.gradient[name], slope, dtype)


@DTYPES
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 37, 200])
def test_judgements_agree(dtype, classes, apart):
    seen, parameters, target, mask = judge_case(dtype, classes)
    judgements_agree((seen, parameters, target, mask), apart, dtype)
    labels = (random(3, 7, classes, dtype=dtype, seed=3) * 3).floor() - 1
    judgements_agree((seen, parameters, labels, mask), apart, dtype)


@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("reads", [(True, False), (False, True)])
def test_judgements_agree_where_a_signal_is_not_seen(blocks, reads):
    case = judge_case(torch.float64, 5, blocks=blocks, reads=reads)
    judgements_agree(case, False, torch.float64)


CLASSES = pytest.mark.parametrize("classes", [3, 300])


def plain_case(classes):
    """A readout whose weights are zero, and two steps the first of which asks."""
    weights = (torch.zeros(1, classes, 9), torch.zeros(1, classes, 9), torch.zeros(1, classes))
    seen = [Seen(torch.ones(1, 2, 9), torch.ones(1, 2, 9))]
    return seen, ReadoutParameters(*weights), torch.tensor([[True, False]])


@CLASSES
def test_a_target_beyond_the_classes_is_refused_in_one_sentence(classes):
    seen, parameters, mask = plain_case(classes)
    numba_kernels.judge(seen, parameters, torch.tensor([[2, 999]]), mask, apart=False)
    told = rf"^a target is class {classes}, the readout has {classes}: 0 to {classes - 1}$"
    with pytest.raises(IndexError, match=told):
        numba_kernels.judge(seen, parameters, torch.tensor([[classes, 0]]), mask, apart=False)


@CLASSES
@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_loss_of_what_is_no_number_is_none(classes, broken):
    seen, parameters, _ = plain_case(classes)
    assert seen[0].y is not None
    seen[0].y[0, 0, 3] = broken
    parameters.W_y[:] = 1.0
    everywhere = torch.ones(1, 2, dtype=torch.bool)
    judged = numba_kernels.judge(seen, parameters, torch.tensor([[1, 2]]), everywhere, apart=False)
    assert judged.loss[0].isfinite().tolist() == [False, True]
    d_z = judged.d_seen[0].z
    assert d_z is not None
    assert d_z[0].isfinite().all(1).tolist() == [False, True]


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_share_the_streams(threads):
    case = dendrite_case(5, 6, 2, 4, torch.float64)
    pre, post = ((random(5, 20, n, dtype=torch.float64) < 0.3).double() for n in (9, 5))
    traces = StdpTraces(torch.zeros_like(pre[:, 0]), torch.zeros_like(post[:, 0]))
    window, keep = Window(0.9, 1.2, 0.94, 0.97), keeps(5, 20, torch.float64)
    pairs = torch_kernels.stdp(pre, post, keep, traces, window)
    torch.set_num_threads(threads)
    try:
        dendrites_agree(case, torch.float64)
        influences_agree(case, Families(), torch.float64)
        judgements_agree(judge_case(torch.float64, 5), False, torch.float64)
        close(numba_kernels.stdp(pre, post, keep, traces, window), pairs, torch.float64)
    finally:
        torch.set_num_threads(1)


def test_auto_takes_numba_on_a_cpu_and_torch_elsewhere():
    assert kernels_for("auto", "cpu").name == "numba"
    assert kernels_for("auto", "meta").name == "torch"
    assert kernels_for("numba", "meta").name == "torch"


def test_a_backend_that_cannot_be_had_gives_way_with_one_line(caplog):
    assert kernels_for("triton", "cpu").name == "torch"
    (record,) = caplog.records
    assert "backend triton needs a cuda device" in record.getMessage()
