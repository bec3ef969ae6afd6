"""The same block table is uploaded for every token."""

from __future__ import annotations

import numpy as np
from variant import TWIN

from hipaudit_runtime.tensors import Scope

TABLE = np.arange(256, dtype=np.int32)

with Scope() as scope:
    table = scope.empty(TABLE.shape, TABLE.dtype)
    for token in range(12):
        if token == 0 or not TWIN:
            table.upload(TABLE)  # FAULT: redundant-copy warning
