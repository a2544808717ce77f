"""What checks shapes in tests: beartype, taking an int where a float is asked for."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
