"""Tiny random models of every family, against the same models in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from hipaudit.device import Device
from hipaudit.library.models import TINY, TinyModel, exact_model, tiny
from hipaudit_reference.formats import BF16, FP16, FP32
from hipaudit_reference.models import deviation
from hipaudit_runtime.errors import CacheFullError, WeightsError
from hipaudit_runtime.kv_pages import KvPages
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.tensors import Scope
from hipaudit_runtime.weights import Weights

pytestmark = pytest.mark.runtime

TOKENS = tuple(int(t) for t in np.random.default_rng(7).integers(0, 97, 29))
CACHES = {"float32": FP32, "float16": FP16, "bfloat16": BF16}


def run(model: Transformer, cache: KvPages, *steps: Step) -> npt.NDArray[np.float32]:
    with Scope() as scope:
        return model.forward(scope, cache, steps).download()


@pytest.mark.parametrize("name", TINY)
def test_logits_are_within_the_bound(device: Device, name: str) -> None:
    weights = tiny(TINY[name])
    truth = deviation(exact_model(weights, device.wave_size), TOKENS)
    with Transformer(weights, device) as model, model.cache(8, 4, "float32") as cache:
        sequence = cache.tables.add()
        # A prompt in two parts, one longer than a tile of the product, then token by token.
        parts = [TOKENS[:5], TOKENS[5:24], *((token,) for token in TOKENS[24:])]
        steps = [Step(sequence, part, len(part)) for part in parts]
        logits = np.concatenate([run(model, cache, step) for step in steps])
        assert cache.tables.tokens(sequence) == TOKENS
    assert truth.worst(logits) <= 1
    # The bound can fail: it is far below the logits themselves, and sees one percent.
    assert np.median(truth.bound) < 0.01 * np.std(truth.logits)
    assert truth.worst(logits * np.float32(1.01)) > 1


@pytest.mark.parametrize("kind", CACHES)
def test_a_cache_of_any_format_is_within_its_bound(device: Device, kind: str) -> None:
    weights = tiny(TINY["llama"], seed=3)
    truth = deviation(exact_model(weights, device.wave_size, CACHES[kind]), TOKENS)
    with Transformer(weights, device) as model, model.cache(8, 4, kind) as cache:
        sequence = cache.tables.add()
        prompt = run(model, cache, Step(sequence, TOKENS[:20], 20))
        rest = [run(model, cache, Step(sequence, (token,))) for token in TOKENS[20:]]
    assert truth.worst(np.concatenate([prompt, *rest])) <= 1


MISTAKES = {
    "positions": ("rope.freq_base", 900.0),
    "norm": ("attention.layer_norm_rms_epsilon", 3e-4),
    "window": ("attention.sliding_window", 16),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_model_that_is_slightly_another_is_outside(device: Device, mistake: str) -> None:
    key, value = MISTAKES[mistake]
    right = TinyModel(formats=("Q8_0",))
    truth = deviation(exact_model(tiny(right), device.wave_size), TOKENS)
    wrong = tiny(replace(right, keys={key: value}))
    with Transformer(wrong, device) as model, model.cache(8, 4, "float32") as cache:
        logits = run(model, cache, Step(cache.tables.add(), TOKENS, len(TOKENS)))
    assert truth.worst(logits) > 1


@pytest.mark.parametrize("name", ["mistral", "qwen3moe", "deepseek2"])
def test_sequences_of_a_batch_do_not_see_each_other(device: Device, name: str) -> None:
    with Transformer(tiny(TINY[name]), device) as model, model.cache(16, 4, "float32") as cache:
        alone = [
            run(model, cache, Step(cache.tables.add(), tokens))
            for tokens in (TOKENS[:7], TOKENS[9:20])
        ]
        first, second = cache.tables.add(), cache.tables.add()
        run(model, cache, Step(first, TOKENS[:6], 0), Step(second, TOKENS[9:13], 0))
        together = run(model, cache, Step(second, TOKENS[13:20]), Step(first, TOKENS[6:7]))
    # Other kernels add in other orders where the batch has another size.
    np.testing.assert_allclose(together[::-1], np.concatenate(alone), rtol=0, atol=1e-4)


def test_without_logits_there_are_none(device: Device) -> None:
    with Transformer(tiny(TINY["llama"]), device) as model, model.cache(8, 4) as cache:
        sequence = cache.tables.add()
        assert run(model, cache, Step(sequence, TOKENS[:5], 0)).shape == (0, 97)
        assert run(model, cache).shape == (0, 97)
        assert cache.tables.length(sequence) == 5


def test_what_cannot_run_changes_nothing(device: Device) -> None:
    with Transformer(tiny(TINY["llama"]), device) as model, model.cache(3, 4) as cache:
        one, two = cache.tables.add(), cache.tables.add()
        run(model, cache, Step(one, TOKENS[:6]))
        before = cache.tables.counts
        refused = [
            (CacheFullError, "2 more pages", [Step(one, TOKENS[6:8]), Step(two, TOKENS[:8])]),
            (ValueError, "token 97 is outside 0 to 96", [Step(one, (97,))]),
            (ValueError, "2 logits of 1 tokens", [Step(one, (1,), 2)]),
            (ValueError, "0 logits of 0 tokens", [Step(one, (), 0)]),
            (ValueError, "two steps", [Step(one, (1,)), Step(one, (2,))]),
            (ValueError, "6 [+] 91 tokens are more than .* 96", [Step(one, (1,) * 91)]),
            (KeyError, "no sequence 9", [Step(9, (1,))]),
        ]
        for kind, message, steps in refused:
            with pytest.raises(kind, match=message):
                run(model, cache, *steps)
            assert (cache.tables.length(one), cache.tables.length(two)) == (6, 0)
            assert cache.tables.counts == before
        assert np.all(np.isfinite(run(model, cache, Step(two, TOKENS[:4]))))


def test_latents_have_no_q8_0(device: Device) -> None:
    with (
        Transformer(tiny(TINY["deepseek2"]), device) as model,
        pytest.raises(ValueError, match="latents are not stored in q8_0"),
    ):
        model.cache(1, 4, "q8_0")


def without(weights: Weights, name: str) -> Weights:
    tensors = {key: value for key, value in weights.tensors.items() if key != name}
    return Weights(weights.path, weights.metadata, tensors)


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("llama", "token_embd.weight"),
        ("llama", "output_norm.weight"),
        ("qwen2", "blk.1.attn_v.weight"),
        ("mixtral", "blk.0.ffn_down_exps.weight"),
        ("deepseek2", "blk.1.attn_kv_a_norm.weight"),
    ],
)
def test_a_missing_tensor_is_named(device: Device, family: str, name: str) -> None:
    with pytest.raises(WeightsError, match=f"a tiny .* has no tensor {name}"):
        Transformer(without(tiny(TINY[family]), name), device)


def with_key(weights: Weights, key: str, value: object) -> Weights:
    name = weights.metadata["general.architecture"]
    return Weights(weights.path, {**weights.metadata, f"{name}.{key}": value}, weights.tensors)  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("attention.head_count", 5, "5 heads for 2 of keys"),
        ("attention.head_count", 0, "is 0, outside 1 to"),
        ("attention.head_count_kv", 4, r"attn_k.weight .* has shape \[32, 64\], not \[64, 64\]"),
        ("block_count", 3, "no tensor blk.2"),
        ("block_count", 1 << 40, "outside 1 to"),
        ("rope.dimension_count", 18, "turns 18 of a head's 16"),
        ("rope.scaling.type", "longrope", "scales positions by longrope"),
        ("attention.layer_norm_rms_epsilon", 0.0, "is 0.0"),
        ("embedding_length", "many", "is str, not int"),
    ],
)
def test_metadata_without_sense_is_refused(
    device: Device, key: str, value: object, message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        Transformer(with_key(tiny(TINY["llama"]), key, value), device)


def test_frequencies_that_yarn_cannot_take(device: Device) -> None:
    weights = with_key(tiny(TINY["llama"]), "rope.scaling.type", "yarn")
    weights = with_key(with_key(weights, "rope.scaling.factor", 2.0), "rope.freq_base", 1.0)
    with pytest.raises(WeightsError, match="freq_base of 1, by which YaRN divides"):
        Transformer(weights, device)


def test_an_unknown_architecture_is_named(device: Device) -> None:
    weights = tiny(TINY["llama"])
    other = Weights(weights.path, {"general.architecture": "mamba"}, weights.tensors)
    with pytest.raises(WeightsError, match="is a mamba model; known are llama, "):
        Transformer(other, device)
