"""hipaudit's oracle: what a kernel should compute, and how far off it may be.

::

    import hipaudit_reference as ref
    from hipaudit_reference import bounds, exact, formats

    ref.softmax(x)                  float64, the whole tensor
    bounds.softmax(x, height=11)    float64, the largest error of each element
    exact.softmax(x, at=(3, 5))     mpmath, one element

The three take the same arguments; a function of several outputs gives tuples of arrays, and its
exact twin an element of the first. `acceptance` judges choices (tokens, experts), `judge` numbers,
`analysis` finds out how a kernel sums. The oracle knows no device and no harness.
"""

from hipaudit_reference import acceptance, analysis, bounds, exact, formats, summation
from hipaudit_reference.judgement import Judgement, judge
from hipaudit_reference.references.attention_forms import (
    mla_attention,
    mla_project,
    paged_attention,
    relative_attention,
)
from hipaudit_reference.references.attentions import (
    attention,
)
from hipaudit_reference.references.audio import (
    conv1d_depthwise,
    conv1d_pointwise,
    hann,
    log_mel,
    mel_filters,
    power_spectrum,
)
from hipaudit_reference.references.elementwise import (
    add,
    gelu,
    gelu_tanh,
    glu,
    scale,
    silu,
    swiglu,
)
from hipaudit_reference.references.experts import (
    combine,
    grouped_gemm,
    permute,
    router,
)
from hipaudit_reference.references.matrices import (
    gemm,
    gemv,
)
from hipaudit_reference.references.movement import (
    convert,
    embedding,
    kv_replicate,
    transpose,
)
from hipaudit_reference.references.norms import (
    layer_norm,
    residual_rms_norm,
    rms_norm,
)
from hipaudit_reference.references.philox import (
    philox4x32_10,
    uniform,
)
from hipaudit_reference.references.quantised import (
    dequantise,
    quantised_gemm,
    quantised_gemv,
)
from hipaudit_reference.references.rotary import (
    kv_append,
    rope,
)
from hipaudit_reference.references.sampling import (
    greedy,
    min_p,
    multinomial,
    renormalise,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from hipaudit_reference.references.softmaxes import (
    causal_mask,
    softmax,
)
from hipaudit_reference.references.sums import (
    argmax,
    prefix_sum,
    reduce_max,
    reduce_sum,
)

__all__ = [
    "Judgement",
    "acceptance",
    "add",
    "analysis",
    "argmax",
    "attention",
    "bounds",
    "causal_mask",
    "combine",
    "conv1d_depthwise",
    "conv1d_pointwise",
    "convert",
    "dequantise",
    "embedding",
    "exact",
    "formats",
    "gelu",
    "gelu_tanh",
    "gemm",
    "gemv",
    "glu",
    "greedy",
    "grouped_gemm",
    "hann",
    "judge",
    "kv_append",
    "kv_replicate",
    "layer_norm",
    "log_mel",
    "mel_filters",
    "min_p",
    "mla_attention",
    "mla_project",
    "multinomial",
    "paged_attention",
    "permute",
    "philox4x32_10",
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
    "summation",
    "swiglu",
    "temperature",
    "top_k",
    "top_p",
    "transpose",
    "uniform",
]
