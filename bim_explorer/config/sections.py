"""The parameters, a section a class: the groups of the page's sidebar, in its order.

Every parameter has a label with its symbol and unit, bounds, and a one-sentence `doc`. Bounds
are what the engine accepts; soft bounds are what a slider spans.
Source: BIM eqs. 3-10.
"""

from __future__ import annotations

import param

from bim_explorer.config.registered import Registered
from bim_explorer.config.task_section import TaskSection
from bim_explorer.core.registries import BASELINES, NEURONS, RULES


class RuleSection(param.Parameterized):
    """The hybrid rule of BIM eq. 4 and how its gradient is found (eqs. 7-8)."""

    balance = param.Number(
        1.0,
        bounds=(0.0, 1.0),
        step=0.01,
        label="Balance λ",
        doc="Share of the RTRL gradient in the synapses' update; the rest is STDP (eq. 4).",
    )
    rule = Registered(
        RULES,
        default="stdp",
        label="Local rule",
        doc="What the synapses do of their own: all pairs of eq. 5, or another local rule.",
    )
    learning_rate = param.Number(
        3e-3,
        bounds=(0.0, 1.0),
        softbounds=(1e-5, 1e-1),
        label="Learning rate η",
        doc="Size of an update; 0 freezes the network.",
    )
    cooling = param.Integer(
        0,
        bounds=(0, 10_000_000),
        softbounds=(0, 1_000),
        label="Cooling (updates)",
        doc="Updates c after which η falls, as η / sqrt(1 + update / c); 0: it stays.",
    )
    weight_decay = param.Number(
        0.0,
        bounds=(0.0, 1.0),
        softbounds=(0.0, 0.3),
        label="Weight decay",
        doc="Share of every weight, times η, that an update forgets; biases, A and D are spared.",
    )
    averaging = param.Number(
        0.0,
        bounds=(0.0, 1_000.0),
        softbounds=(0.0, 20.0),
        label="Averaging γ",
        doc="Judge the mean of the newest 1/(γ+1) of all updates' weights; 0: the newest weights.",
    )
    optimizer = param.Selector(
        default="adam",
        objects=["sgd", "adam"],
        label="Optimizer",
        doc="SGD is the paper's rule; Adam scales each weight's step by its running RMS.",
    )
    clip = param.Number(
        0.0,
        bounds=(0.0, 1e6),
        softbounds=(0.0, 10.0),
        label="Clip |g|",
        doc="Longest gradient, all that learn together: a longer one is shortened; 0: never.",
    )
    chunk = param.Integer(
        8,
        bounds=(1, 512),
        softbounds=(1, 64),
        label="Chunk K (steps)",
        doc="Steps between two updates; 1 is the paper's step-by-step rule.",
    )
    credit = param.Selector(
        default="exact",
        objects=["exact", "truncated", "local"],
        label="Credit",
        doc="Exact RTRL in each block, truncated BPTT over the chunk, or a local loss a block.",
    )
    mixing = param.Selector(
        default="matched",
        objects=["matched", "raw"],
        label="Mixing",
        doc="Matched brings STDP to the gradient's RMS so that λ is a true balance; raw does not.",
    )
    learn = param.Selector(
        default="all",
        objects=["all", "synapses"],
        label="Plastic",
        doc="What learns: all parameters, or only the synapses W and the readout.",
    )
    as_printed_update = param.Boolean(
        False,
        label="Update as printed",
        doc="Add the gradient to W as eq. 4 prints it: the loss rises, by design.",
    )


class StdpSection(param.Parameterized):
    """The STDP window of BIM eq. 6 and the synapses' bound."""

    a_plus = param.Number(
        1.0,
        bounds=(0.0, 10.0),
        softbounds=(0.0, 2.0),
        step=0.01,
        label="A₊",
        doc="Potentiation of a pair whose presynaptic spike comes first (eq. 6).",
    )
    a_minus = param.Number(
        1.05,
        bounds=(0.0, 10.0),
        softbounds=(0.0, 2.0),
        step=0.01,
        label="A₋",
        doc="Depression of a pair whose postsynaptic spike comes first (eq. 6).",
    )
    tau_plus_ms = param.Number(
        20.0,
        bounds=(0.1, 1000.0),
        softbounds=(1.0, 100.0),
        label="τ₊ (ms)",
        doc="Time constant of potentiation (eq. 6).",
    )
    tau_minus_ms = param.Number(
        20.0,
        bounds=(0.1, 1000.0),
        softbounds=(1.0, 100.0),
        label="τ₋ (ms)",
        doc="Time constant of depression (eq. 6).",
    )
    w_max = param.Number(
        3.0,
        bounds=(1e-3, 1e3),
        softbounds=(0.1, 10.0),
        label="w max",
        doc="Bound on every synapse's |w|; additive STDP alone would grow without limit.",
    )


class PruningSection(param.Parameterized):
    """Adaptive pruning, BIM eqs. 9-10."""

    target_sparsity = param.Number(
        0.0,
        bounds=(0.0, 0.99),
        step=0.01,
        label="Target sparsity ρ",
        doc="Share of synapses to prune; 0 prunes none (eq. 10).",
    )
    pruning_beta = param.Number(
        20.0,
        bounds=(0.1, 1000.0),
        softbounds=(1.0, 100.0),
        label="Temperature β",
        doc="Sharpness of pruning in |w| / RMS; the paper's temperature, an inverse one (eq. 9).",
    )
    threshold_rate = param.Number(
        0.01,
        bounds=(0.0, 1.0),
        softbounds=(1e-3, 0.1),
        label="Threshold rate γ (1/update)",
        doc="Speed at which the threshold θ rises while too few are pruned (eq. 10).",
    )
    prune_every = param.Integer(
        10,
        bounds=(1, 10_000),
        softbounds=(1, 100),
        label="Prune every (updates)",
        doc="Updates between two rounds of pruning.",
    )
    regrow = param.Selector(
        default="off",
        objects=["off", "random", "gradient"],
        label="Regrow",
        doc="How pruned synapses return when the target is lowered; off: they stay pruned.",
    )
    as_printed_pruning = param.Boolean(
        False,
        label="Pruning as printed",
        doc="Prune strong synapses as eq. 9 prints it: the threshold runs away, by design.",
    )


class NetworkSection(param.Parameterized):
    """Sizes and constants of the spiking selective state space blocks (BIM eqs. 1-3)."""

    model = Registered(
        BASELINES,
        before=("bim",),
        default="bim",
        label="Model",
        doc="The paper's network, or a baseline by truncated BPTT without spikes or synapses.",
    )
    neuron = Registered(
        NEURONS,
        default="lif",
        label="Neuron",
        doc="The soma: what becomes of a membrane potential in a step (eq. 3).",
    )
    n_blocks = param.Integer(
        1, bounds=(1, 16), softbounds=(1, 4), label="Blocks", doc="Blocks in the stack."
    )
    d_model = param.Integer(
        64,
        bounds=(1, 4096),
        softbounds=(8, 256),
        label="Neurons N",
        doc="Neurons of each block.",
    )
    d_state = param.Integer(
        8,
        bounds=(1, 256),
        softbounds=(1, 32),
        label="States S",
        doc="State space channels of each neuron's dendrite.",
    )
    readout = param.Selector(
        default="y+z",
        objects=["y+z", "y", "z"],
        label="Readout",
        doc="What the readout sees of every block: dendritic output y, spikes z, or both.",
    )
    tau_mem_ms = param.Number(
        3.0,
        bounds=(0.01, 1000.0),
        softbounds=(0.5, 50.0),
        label="τ membrane (ms)",
        doc="Time constant of the membrane potential (eq. 3).",
    )
    tau_psp_ms = param.Number(
        2.0,
        bounds=(0.01, 1000.0),
        softbounds=(0.5, 50.0),
        label="τ PSP (ms)",
        doc="Time constant of the postsynaptic potential α (eq. 3).",
    )
    psp_kernel = param.Selector(
        default="exponential",
        objects=["exponential", "alpha"],
        label="PSP kernel",
        doc="Shape of the postsynaptic potential: exponential, or alpha (two in a row).",
    )
    v_th = param.Number(
        1.0,
        bounds=(1e-3, 100.0),
        softbounds=(0.1, 5.0),
        label="Threshold V",
        doc="Membrane potential at which a neuron spikes.",
    )
    delta_min = param.Number(
        0.005,
        bounds=(1e-6, 10.0),
        softbounds=(1e-4, 0.1),
        label="Δ min",
        doc="Smallest step of the state spaces at the start: the longest memory is 1/(Δ|A|).",
    )
    delta_max = param.Number(
        0.5,
        bounds=(1e-6, 10.0),
        softbounds=(0.01, 1.0),
        label="Δ max",
        doc="Largest step of the state spaces at the start: the shortest memory.",
    )


class MachineSection(param.Parameterized):
    """Where and how it is computed."""

    backend = param.Selector(
        default="auto",
        objects=["auto", "torch", "numba", "triton"],
        label="Backend",
        doc="Kernels of the scans over time; auto takes the fastest that is installed.",
    )
    event_driven = param.Boolean(
        False,
        label="Event-driven",
        doc="Step by step at the price of the spikes; needs K = 1, one stream, SGD, λ = 1.",
    )
    device = param.String("cpu", label="Device", doc="Torch device to compute on.")
    dtype = param.Selector(
        default="float32",
        objects=["float32", "float64"],
        label="Precision",
        doc="Floating point type of all state.",
    )
    threads = param.Integer(
        0,
        bounds=(0, 256),
        softbounds=(0, 16),
        label="Threads",
        doc="Threads to compute with; 0 takes the machine's cores less one.",
    )


#: Sidebar order: title and class of each section.
SECTIONS: tuple[tuple[str, type[param.Parameterized]], ...] = (
    ("Task", TaskSection),
    ("Learning rule", RuleSection),
    ("STDP window", StdpSection),
    ("Pruning", PruningSection),
    ("Network", NetworkSection),
    ("Machine", MachineSection),
)

#: Sizes, data and places: a change of these builds the network anew.
REBUILD = frozenset(
    {"task", "preset", "data", "patient", "vocabulary", "seed", "batch"}
    | {"code_size", "code_active", "code_context", "code_failure"}
    | {"first", "second"}
    | {"encoder", "encoder_threshold", "encoder_gain", "encoder_levels"}
    | {"model", "neuron", "n_blocks", "d_model", "d_state", "backend", "device", "dtype", "threads"}
)
