"""Launchers: one function a kernel, beside its geometry, limits and preconditions.

Each comes twice. ``launch_NAME(device, tensors...)`` enqueues the kernel on device tensors;
``NAME(device, arrays...)`` takes and returns host arrays, with every copy and buffer inside. Both
check shapes, types, contiguity, alignment and index ranges before anything is launched, and raise
ValueError or TypeError with the value.
"""

from __future__ import annotations

from hipaudit_runtime.ops.attention import (
    Logits,
    flash_attention,
    launch_flash_attention,
)
from hipaudit_runtime.ops.elementwise import (
    CONVERSIONS,
    add,
    convert,
    gelu,
    gelu_tanh,
    launch_add,
    launch_convert,
    launch_gelu,
    launch_gelu_tanh,
    launch_scale,
    launch_silu,
    launch_swiglu,
    scale,
    silu,
    swiglu,
)
from hipaudit_runtime.ops.gemm import (
    gemm_f32,
    launch_gemm_f32,
)
from hipaudit_runtime.ops.gemv import (
    gemv,
    launch_gemv,
)
from hipaudit_runtime.ops.kv_cache import (
    kv_append,
    kv_replicate,
    launch_kv_append,
    launch_kv_replicate,
)
from hipaudit_runtime.ops.latent import (
    latent_append,
    launch_latent_append,
    launch_mla_attention,
    mla_attention,
)
from hipaudit_runtime.ops.movement import (
    embedding,
    launch_embedding,
    launch_transpose,
    transpose,
)
from hipaudit_runtime.ops.norms import (
    launch_layer_norm,
    launch_residual_rms_norm,
    launch_rms_norm,
    layer_norm,
    residual_rms_norm,
    rms_norm,
)
from hipaudit_runtime.ops.paged import (
    Sequences,
    Splits,
    launch_attention_combine,
    launch_paged_attention,
    paged_attention,
    partials_shape,
)
from hipaudit_runtime.ops.products import (
    Product,
    gemm,
    launch_gemm,
    launch_gemm_combine,
)
from hipaudit_runtime.ops.quantised import (
    FORMATS,
    BlockFormat,
    dequantise,
    launch_dequantise,
    launch_quantised_gemm,
    quantised_gemm,
    quantised_gemv,
)
from hipaudit_runtime.ops.reductions import (
    launch_prefix_sum,
    launch_row_max,
    launch_sum_compensated,
    launch_sum_serial,
    launch_sum_tree,
    prefix_sum,
    row_max,
    sum_compensated,
    sum_serial,
    sum_tree,
)
from hipaudit_runtime.ops.rotary import (
    launch_rope,
    rope,
)
from hipaudit_runtime.ops.softmax_rows import (
    Mask,
    launch_softmax,
    launch_softmax_masked,
    softmax,
    softmax_masked,
)

__all__ = [
    "CONVERSIONS",
    "FORMATS",
    "BlockFormat",
    "Logits",
    "Mask",
    "Product",
    "Sequences",
    "Splits",
    "add",
    "convert",
    "dequantise",
    "embedding",
    "flash_attention",
    "gelu",
    "gelu_tanh",
    "gemm",
    "gemm_f32",
    "gemv",
    "kv_append",
    "kv_replicate",
    "latent_append",
    "launch_add",
    "launch_attention_combine",
    "launch_convert",
    "launch_dequantise",
    "launch_embedding",
    "launch_flash_attention",
    "launch_gelu",
    "launch_gelu_tanh",
    "launch_gemm",
    "launch_gemm_combine",
    "launch_gemm_f32",
    "launch_gemv",
    "launch_kv_append",
    "launch_kv_replicate",
    "launch_latent_append",
    "launch_layer_norm",
    "launch_mla_attention",
    "launch_paged_attention",
    "launch_prefix_sum",
    "launch_quantised_gemm",
    "launch_residual_rms_norm",
    "launch_rms_norm",
    "launch_rope",
    "launch_row_max",
    "launch_scale",
    "launch_silu",
    "launch_softmax",
    "launch_softmax_masked",
    "launch_sum_compensated",
    "launch_sum_serial",
    "launch_sum_tree",
    "launch_swiglu",
    "launch_transpose",
    "layer_norm",
    "mla_attention",
    "paged_attention",
    "partials_shape",
    "prefix_sum",
    "quantised_gemm",
    "quantised_gemv",
    "residual_rms_norm",
    "rms_norm",
    "rope",
    "row_max",
    "scale",
    "silu",
    "softmax",
    "softmax_masked",
    "sum_compensated",
    "sum_serial",
    "sum_tree",
    "swiglu",
    "transpose",
]
