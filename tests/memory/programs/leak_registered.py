"""Host memory that stays registered, and so pinned."""

from __future__ import annotations

import numpy as np
from common import TWIN, ok
from hip import hip

data = np.zeros(4096, np.uint8)
ok(hip.hipHostRegister(data, data.nbytes, 0))  # FAULT: leak
if TWIN:
    ok(hip.hipHostUnregister(data))
