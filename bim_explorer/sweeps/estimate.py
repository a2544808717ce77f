"""How long a plan will take, from a look at a few of its runs.

seconds of a run = beside + updates × update,    of the plan = runs × seconds / workers
"""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from bim_explorer.core.errors import BimError
from bim_explorer.core.machine import cores
from bim_explorer.sweeps.crew import LocalCrew, SweepError
from bim_explorer.sweeps.plan import Plan
from bim_explorer.sweeps.work import probe

#: Seconds that each probed run is timed for.
PROBE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """Time that a plan needs.

    Attributes:
        run: Seconds of a run, in the mean of those looked at.
        total: Seconds of the plan.
        workers: Processes side by side.
    """

    run: float
    total: float
    workers: int

    @property
    def text(self) -> str:
        """For people: `about 2.3 s a run, 28 s in all with 2 workers`."""
        many = f"{self.workers} worker{'s' if self.workers != 1 else ''}"
        return f"about {duration(self.run)} a run, {duration(self.total)} in all with {many}"


def estimate(plan: Plan, workers: int | None = None) -> Estimate:
    """Time the first, the middle and the last run of a plan for a moment each.

    Args:
        plan: What is to be run.
        workers: Processes side by side; None takes the machine's cores.

    Raises:
        BimError: A run that cannot be: it says why.
    """
    size = workers or cores()
    picked = {0, len(plan) // 2, len(plan) - 1}
    hands = LocalCrew(1)
    try:
        seconds = [_seconds(plan, index, hands) for index in sorted(picked)]
    finally:
        hands.close()
    run = sum(seconds) / len(seconds)
    return Estimate(run, run * len(plan) / min(size, len(plan)), size)


def duration(seconds: float) -> str:
    """A time for people.

    Example:
        >>> duration(0.42), duration(75), duration(7260)
        ('0.4 s', '75 s', '2 h 1 min')
    """
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 120 else f"{minutes} min"


def _seconds(plan: Plan, index: int, hands: LocalCrew) -> float:
    values = plan.config(plan.cells[index].changes).values()
    try:
        costs = hands.submit(probe, values, PROBE_SECONDS).result()
    except BrokenProcessPool as error:
        raise SweepError(f"the probe of run {index} was killed: {error}") from error
    except BimError as error:
        raise type(error)(f"run {index} cannot be: {error}") from error
    if plan.updates is None:
        assert plan.seconds is not None
        return plan.seconds + costs["beside"]
    training = plan.updates * costs["update"]
    return costs["beside"] + (min(training, plan.seconds) if plan.seconds else training)
