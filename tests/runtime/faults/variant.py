"""What every program here starts with; run with the argument ``twin``, each is its own clean twin.

Each is a piece of the runtime as somebody might have written it, or uses it as somebody might.
"""

from __future__ import annotations

import sys

import numpy as np

TWIN = sys.argv[1:] == ["twin"]
ONES = np.ones(1024, np.float32)
