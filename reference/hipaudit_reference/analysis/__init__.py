"""Beyond an error figure: what outputs reveal of how a kernel computes. Pure functions."""

from hipaudit_reference.analysis.growth import Growth, GrowthFit, fit_growth
from hipaudit_reference.analysis.trees import SummationTree, probe_pairs, probes, reveal

__all__ = [
    "Growth",
    "GrowthFit",
    "SummationTree",
    "fit_growth",
    "probe_pairs",
    "probes",
    "reveal",
]
