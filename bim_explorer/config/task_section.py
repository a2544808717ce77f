"""The parameters of tasks: what is learned, from which data, and how it becomes spikes."""

from __future__ import annotations

import param

from bim_explorer.config.registered import Registered
from bim_explorer.core.registries import ENCODERS


class TaskSection(param.Parameterized):
    """What is learned, on which data, from which seed."""

    task = param.String("delayed-recall", label="Task", doc="What the network learns.")
    preset = param.String("", label="Preset", doc="The preset these values started from.")
    data = param.String(
        "", label="Data", doc="File or folder to read; empty for the task's built-in data."
    )
    delay = param.Integer(
        40,
        bounds=(1, 10_000),
        softbounds=(5, 300),
        label="Delay D (steps)",
        doc="Distractors between the cue and the query of delayed recall.",
    )
    first = param.String(
        "delayed-recall", label="First task", doc="What a continual task begins with."
    )
    second = param.String("eeg", label="Second task", doc="What a continual task goes on with.")
    phase = param.Selector(
        default="first",
        objects=["first", "second"],
        label="Phase",
        doc="Which of its two tasks a continual one learns now; switch it in the running network.",
    )
    code_size = param.Integer(
        64,
        bounds=(4, 4096),
        softbounds=(16, 256),
        label="Input neurons",
        doc="Input neurons of the population code that turns symbols into spikes.",
    )
    code_active = param.Integer(
        8,
        bounds=(1, 1024),
        softbounds=(1, 32),
        label="Active per symbol",
        doc="Input neurons that spike for one symbol.",
    )
    code_context = param.Integer(
        1,
        bounds=(1, 64),
        softbounds=(1, 8),
        label="Symbols in view",
        doc="Newest symbols of a text on the input at once, each on neurons of its own.",
    )
    code_failure = param.Number(
        0.0,
        bounds=(0.0, 0.9),
        softbounds=(0.0, 0.5),
        step=0.01,
        label="Failures",
        doc="Share of a text's symbols in view that are lost on their way in, while training.",
    )
    vocabulary = param.Integer(
        3000,
        bounds=(1, 100_000),
        softbounds=(500, 10_000),
        label="Words told apart",
        doc="Most frequent words with a class of their own; rarer ones share classes by count.",
    )
    encoder = Registered(
        ENCODERS,
        before=("auto",),
        default="auto",
        label="Encoder",
        doc="How a signal becomes spikes; auto is the task's own choice, symbols have their code.",
    )
    encoder_threshold = param.Number(
        0.5,
        bounds=(0.01, 10.0),
        softbounds=(0.05, 2.0),
        label="Threshold (σ)",
        doc="Change that makes a spike of delta, level and LIF codes, in the signal's deviations.",
    )
    encoder_gain = param.Number(
        1.0,
        bounds=(0.01, 100.0),
        softbounds=(0.1, 10.0),
        label="Gain",
        doc="What a signal is multiplied with before it is encoded.",
    )
    encoder_levels = param.Integer(
        4,
        bounds=(1, 64),
        softbounds=(1, 16),
        label="Neurons per channel",
        doc="Input neurons of each signal channel where the encoder has several.",
    )
    patient = param.String(
        "",
        label="Patient held out",
        doc="EEG patient (chb01, …) whose recordings validate; empty holds out some of each.",
    )
    seed = param.Integer(
        0, bounds=(0, 2**31 - 1), softbounds=(0, 99), label="Seed", doc="Seed of all chance."
    )
    batch = param.Integer(
        16,
        bounds=(1, 1024),
        softbounds=(1, 64),
        label="Batch B (streams)",
        doc="Streams that run side by side; an update averages over them.",
    )
    dt_ms = param.Number(
        1.0,
        bounds=(0.01, 100.0),
        softbounds=(0.1, 5.0),
        label="Time step dt (ms)",
        doc="Time that one step stands for; all time constants are in the same milliseconds.",
    )
