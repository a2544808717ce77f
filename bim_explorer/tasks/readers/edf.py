"""EDF and EDF+ files, by edfio: which channels there are, and spans of them, loaded when read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import edfio
import numpy as np

from bim_explorer.core.errors import DataError


class EdfFile:
    """An EDF file whose samples stay on the disk.

    Args:
        path: The file.

    Attributes:
        labels: Names of the channels; a name may come twice.
        rate: Samples a second of the first channel.
        duration_s: Its length in seconds.

    Raises:
        DataError: It is missing, empty, cut short, or no EDF file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._edf = _opened(path)
        if not self._edf.signals:
            raise DataError(f"{path} holds no signal.")
        self.labels = tuple(signal.label.strip() for signal in self._edf.signals)
        self.rate = float(self._edf.signals[0].sampling_frequency)
        self.duration_s = float(self._edf.num_data_records * self._edf.data_record_duration)

    def read(self, channels: Sequence[int], start_s: float, stop_s: float) -> np.ndarray:
        """Channels by number, float32 (T, channels), in the file's physical units.

        Raises:
            DataError: The span is not in the file, or the channels' rates differ.
        """
        signals = [self._edf.signals[channel] for channel in channels]
        if any(float(signal.sampling_frequency) != self.rate for signal in signals):
            raise DataError(f"{self._path} has channels of different rates, which are not read.")
        try:
            columns = [signal.get_data_slice(start_s, stop_s) for signal in signals]
        except (ValueError, OSError) as error:
            raise DataError(f"{self._path} cannot be read ({error}); fetch it anew.") from error
        return np.stack(columns, axis=1).astype(np.float32)


def _opened(path: Path) -> edfio.Edf:
    """The file, its length held against its header: edfio only warns of a file cut short."""
    try:
        if not path.stat().st_size:
            raise DataError(f"{path} is empty: fetch it anew.")
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            return edfio.read_edf(path, lazy_load_data=True)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UserWarning as error:
        raise DataError(f"{path} is cut short or damaged ({error}); fetch it anew.") from error
    except (ValueError, IndexError, LookupError, ArithmeticError) as error:
        raise DataError(f"{path} is no EDF file ({error}); fetch it anew.") from error
