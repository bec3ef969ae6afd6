"""hipaudit's oracle: what a kernel should compute, and how far off it may be.

    import hipaudit_reference as ref
    from hipaudit_reference import bounds, exact, formats

    ref.softmax(x)                  float64, the whole tensor
    bounds.softmax(x, height=11)    float64, the largest error of each element
    exact.softmax(x, at=(3, 5))     mpmath, one element

The three take the same arguments. The oracle knows no device and no harness.
"""

from hipaudit_reference import bounds, exact, formats, summation
from hipaudit_reference.references.matrices import gemm, gemv
from hipaudit_reference.references.norms import layer_norm, residual_rms_norm, rms_norm
from hipaudit_reference.references.quantised import dequantise
from hipaudit_reference.references.softmaxes import causal_mask, softmax

__all__ = [
    "bounds",
    "causal_mask",
    "dequantise",
    "exact",
    "formats",
    "gemm",
    "gemv",
    "layer_norm",
    "residual_rms_norm",
    "rms_norm",
    "softmax",
    "summation",
]
