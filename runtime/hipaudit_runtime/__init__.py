"""A small LLM runtime for ROCm: the program that hipaudit audits.

An ordinary hip-python program. It knows neither the harness nor the oracle, and runs the same on
a real GPU and on the emulated one.
"""

from __future__ import annotations
