"""The explorer as an app: `panel serve apps/explorer.py`, or `python apps/explorer.py`.

The address chooses what is run: `/explorer?preset=text&balance=0.5`.
"""

from __future__ import annotations

import panel as pn

from bim_explorer.views.serve import EXTENSION, page, serve

if pn.state.served:
    pn.extension(**EXTENSION)
    page().servable()
elif __name__ == "__main__":
    serve(show=True)
