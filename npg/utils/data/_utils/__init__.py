"""The parts of a DataLoader, at PyTorch's paths.

Source: torch.utils.data._utils.
"""

from npg.utils._exceptions import ExceptionWrapper as ExceptionWrapper, KeyErrorMessage as KeyErrorMessage
from npg.utils.data._utils import collate as collate, fetch as fetch, pin_memory as pin_memory, worker as worker
from npg.utils.data._utils.worker import MP_STATUS_CHECK_INTERVAL as MP_STATUS_CHECK_INTERVAL
