"""Pictures of sweeps: pure functions from a sweep's Dataset to a HoloViews element.

Every mark is a run or a few, and leads back to them: hovering names their folders, tapping says
how to open them.
"""

from bim_explorer.views.sweeps.curves import curves
from bim_explorer.views.sweeps.heat import heat_map
from bim_explorer.views.sweeps.parallel import parallel_coordinates
from bim_explorer.views.sweeps.pareto import pareto

__all__ = ["curves", "heat_map", "parallel_coordinates", "pareto"]
