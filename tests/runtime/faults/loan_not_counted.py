"""Memory that another library borrows, freed as if it did not."""

from __future__ import annotations

from typing import Any

import numpy as np
from variant import ONES, TWIN

from hipaudit_runtime.errors import HipError
from hipaudit_runtime.memory import DEVICE
from hipaudit_runtime.tensors import Scope, Tensor


class Array:
    """Another library's array."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        del options
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 10, 0


scope = Scope()
tensor = scope.upload(ONES)
borrowed = Tensor.from_dlpack(Array(tensor.__dlpack__(max_version=(1, 0))))
if TWIN:
    scope.close()
else:
    DEVICE.release(tensor.address, tensor.nbytes)  # FAULT: use-after-free other
    tensor.buffer._gone = "freed"
    tensor.buffer._address = 0
try:
    assert np.array_equal(borrowed.download(), ONES)  # FAULT: use-after-free at
except HipError as error:
    print(error)
borrowed.buffer.free()
