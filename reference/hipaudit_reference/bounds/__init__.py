"""Derived error bounds, per element.

A bound takes the same arguments as the reference of its name, and keyword-only parameters of
the kernel's algorithm:

- `height`: how it adds: the height of its summation tree, or a model of `summation`; None, the
  default, holds for any order;
- `working`, `out`: the formats it computes in and stores;
- `device`: its functions' errors (`EMULATED`, `AMD`, `AMD_FAST`, or a table of your own); by
  default what `assuming` says, else `AMD`, the errors that AMD documents.

It returns float64 of the output's shape. `bounds.assembly` says what its elements mean; they
are never NaN.
"""

from hipaudit_reference.bounds.attention_forms import (
    mla_attention,
    mla_project,
    paged_attention,
    relative_attention,
)
from hipaudit_reference.bounds.attentions import (
    attention,
)
from hipaudit_reference.bounds.audio import (
    conv1d_depthwise,
    conv1d_pointwise,
    log_mel,
    power_spectrum,
)
from hipaudit_reference.bounds.device import (
    AMD,
    AMD_FAST,
    DEVICES,
    EMULATED,
    DeviceErrors,
    assuming,
)
from hipaudit_reference.bounds.elementwise import (
    add,
    gelu,
    gelu_tanh,
    glu,
    scale,
    silu,
    swiglu,
)
from hipaudit_reference.bounds.experts import (
    combine,
    grouped_gemm,
    router,
)
from hipaudit_reference.bounds.matrices import (
    gemm,
    gemv,
)
from hipaudit_reference.bounds.movement import (
    convert,
    embedding,
    kv_replicate,
    transpose,
)
from hipaudit_reference.bounds.norms import (
    layer_norm,
    residual_rms_norm,
    rms_norm,
)
from hipaudit_reference.bounds.quantised import (
    dequantise,
    quantised_gemm,
    quantised_gemv,
)
from hipaudit_reference.bounds.rotary import (
    kv_append,
    rope,
)
from hipaudit_reference.bounds.sampling import (
    renormalise,
    repetition_penalty,
    temperature,
)
from hipaudit_reference.bounds.softmaxes import (
    softmax,
)
from hipaudit_reference.bounds.sums import (
    prefix_sum,
    reduce_max,
    reduce_sum,
)

__all__ = [
    "AMD",
    "AMD_FAST",
    "DEVICES",
    "EMULATED",
    "DeviceErrors",
    "add",
    "assuming",
    "attention",
    "combine",
    "conv1d_depthwise",
    "conv1d_pointwise",
    "convert",
    "dequantise",
    "embedding",
    "gelu",
    "gelu_tanh",
    "gemm",
    "gemv",
    "glu",
    "grouped_gemm",
    "kv_append",
    "kv_replicate",
    "layer_norm",
    "log_mel",
    "mla_attention",
    "mla_project",
    "paged_attention",
    "power_spectrum",
    "prefix_sum",
    "quantised_gemm",
    "quantised_gemv",
    "reduce_max",
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
    "transpose",
]
