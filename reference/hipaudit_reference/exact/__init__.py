"""The same functions in mpmath, one element at a time.

`exact.NAME(*same arguments, at=index)` is the element `index` of `NAME(*same arguments)`,
correct to 256 bits: the judge of worst elements, and of the float64 references themselves.
"""

from hipaudit_reference.exact.matrices import gemm, gemv
from hipaudit_reference.exact.norms import rms_norm
from hipaudit_reference.exact.softmaxes import softmax

__all__ = ["gemm", "gemv", "rms_norm", "softmax"]
