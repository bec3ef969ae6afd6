"""The same functions in mpmath, one element at a time.

`exact.NAME(*same arguments, at=index)` is the element `index` of `NAME(*same arguments)`,
correct to 256 bits: the judge of worst elements, and of the float64 references themselves.
"""

from hipaudit_reference.exact.attentions import (
    attention,
    mla_attention,
    mla_project,
    paged_attention,
    relative_attention,
)
from hipaudit_reference.exact.audio import (
    conv1d_depthwise,
    conv1d_pointwise,
    log_mel,
    power_spectrum,
)
from hipaudit_reference.exact.elementwise import (
    add,
    gelu,
    gelu_tanh,
    glu,
    scale,
    silu,
    swiglu,
)
from hipaudit_reference.exact.experts import (
    combine,
    grouped_gemm,
    router,
)
from hipaudit_reference.exact.matrices import (
    gemm,
    gemv,
)
from hipaudit_reference.exact.norms import (
    layer_norm,
    residual_rms_norm,
    rms_norm,
)
from hipaudit_reference.exact.quantised import (
    quantised_gemm,
    quantised_gemv,
)
from hipaudit_reference.exact.rotary import (
    kv_append,
    rope,
)
from hipaudit_reference.exact.sampling import (
    renormalise,
    repetition_penalty,
    temperature,
)
from hipaudit_reference.exact.softmaxes import (
    softmax,
)
from hipaudit_reference.exact.sums import (
    prefix_sum,
    reduce_sum,
)

__all__ = [
    "add",
    "attention",
    "combine",
    "conv1d_depthwise",
    "conv1d_pointwise",
    "gelu",
    "gelu_tanh",
    "gemm",
    "gemv",
    "glu",
    "grouped_gemm",
    "kv_append",
    "layer_norm",
    "log_mel",
    "mla_attention",
    "mla_project",
    "paged_attention",
    "power_spectrum",
    "prefix_sum",
    "quantised_gemm",
    "quantised_gemv",
    "reduce_sum",
    "relative_attention",
    "renormalise",
    "repetition_penalty",
    "residual_rms_norm",
    "rms_norm",
    "rope",
    "router",
    "scale",
    "silu",
    "softmax",
    "swiglu",
    "temperature",
]
