"""Launchers refuse, with the value, what their kernels cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from hipaudit.device import Device
from hipaudit_runtime import ops
from hipaudit_runtime.buffers import HipBuffer
from hipaudit_runtime.ops import checks
from hipaudit_runtime.ops.arguments import Size, packed
from hipaudit_runtime.ops.rowwise import block_for, summation_height
from hipaudit_runtime.tensors import Scope, Tensor

pytestmark = pytest.mark.runtime

F32 = np.dtype(np.float32)


def floats(*shape: int) -> checks.Host:
    """Ones of a shape."""
    return np.ones(shape, np.float32)


def test_a_wrong_type_is_named(device: Device) -> None:
    with pytest.raises(TypeError, match="x is float64, not float32"):
        ops.softmax(device, np.ones((2, 2)))
    with pytest.raises(TypeError, match="b is int32, not float32"):
        ops.gemm_f32(device, floats(2, 2), np.ones((2, 2), np.int32))
    with pytest.raises(TypeError, match="blocks is int8, not uint8"):
        ops.dequantise(device, "Q4_1", np.zeros((1, 20), np.int8))
    with pytest.raises(TypeError, match="x is list, not a numpy array"):
        ops.softmax(device, [[1.0]])  # type: ignore[arg-type]


def test_a_foreign_byte_order_is_refused(device: Device) -> None:
    with pytest.raises(TypeError, match="x is >f4, not float32"):
        ops.softmax(device, np.ones((2, 2), ">f4"))


def test_strides_are_refused_not_copied(device: Device) -> None:
    with pytest.raises(ValueError, match=r"x is not C-contiguous: shape \(3, 2\), strides \(4, 12"):
        ops.softmax(device, floats(2, 3).T)


def test_shapes_must_fit(device: Device) -> None:
    with pytest.raises(ValueError, match=r"b has shape \(4, 5\), not \(3, 5\)"):
        ops.gemm_f32(device, floats(2, 3), floats(4, 5))
    with pytest.raises(ValueError, match=r"a has shape \(3,\), not 2 axes"):
        ops.gemm_f32(device, floats(3), floats(3, 5))
    with pytest.raises(ValueError, match=r"weight has shape \(4,\), not \(3,\)"):
        ops.rms_norm(device, floats(2, 3), floats(4))
    with pytest.raises(ValueError, match="at least one axis"):
        ops.softmax(device, np.array(1, np.float32))


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 1e-45, float("inf"), float("nan")])
def test_an_epsilon_that_cannot_do_its_work_is_refused(device: Device, epsilon: float) -> None:
    with pytest.raises(ValueError, match=f"epsilon is {epsilon}"):
        ops.rms_norm(device, floats(2, 3), floats(3), epsilon)


def test_an_incomplete_block_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 39\): Q4_1 rows are multiples of 20"):
        ops.dequantise(device, "Q4_1", np.zeros((2, 39), np.uint8))
    with pytest.raises(ValueError, match=r"shape \(\): Q8_0 rows are multiples of 34"):
        ops.dequantise(device, "Q8_0", np.array(0, np.uint8))


def test_an_unknown_format_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match="no kernel for the format Q9_9; there are Q4_"):
        ops.dequantise(device, "Q9_9", np.zeros((1, 20), np.uint8))


def test_a_quantised_product_refuses_what_does_not_fit(device: Device) -> None:
    blocks = np.zeros((3, 2 * 34), np.uint8)
    with pytest.raises(ValueError, match=r"x has shape \(1, 32\), not \(1, 64\)"):
        ops.quantised_gemv(device, "Q8_0", blocks, floats(32))
    with pytest.raises(ValueError, match=r"blocks has shape \(204,\), not 2 axes"):
        ops.quantised_gemm(device, "Q8_0", blocks.reshape(-1), floats(2, 64))
    with pytest.raises(TypeError, match="x is float64, not float32"):
        ops.quantised_gemv(device, "Q8_0", blocks, np.ones(64))
    with Scope() as scope:
        x, y = scope.upload(floats(1, 64)), scope.upload(floats(1, 3))
        odd = Tensor(HipBuffer(512), (3, 68), np.dtype(np.uint8), offset=1)
        with odd.buffer, pytest.raises(ValueError, match=r"blocks lies at .* not aligned to 2"):
            ops.launch_quantised_gemm(device, "Q8_0", odd, x, y)


def test_a_quantised_product_of_many_rows_equals_those_of_one(device: Device) -> None:
    generator = np.random.default_rng(3)
    blocks = generator.integers(0, 64, (70, 3 * 18), dtype=np.uint8)
    x = generator.normal(size=(6, 96)).astype(np.float32)
    together = ops.quantised_gemm(device, "Q4_0", blocks, x)
    for row, expected in zip(x, together, strict=True):
        assert np.array_equal(ops.quantised_gemv(device, "Q4_0", blocks, row), expected)


def test_empty_arrays_need_no_launch(device: Device) -> None:
    assert ops.softmax(device, floats(0, 5)).shape == (0, 5)
    assert ops.softmax(device, floats(5, 0)).shape == (5, 0)
    assert ops.rms_norm(device, floats(0, 5), floats(5)).shape == (0, 5)
    assert ops.gemm_f32(device, floats(0, 5), floats(5, 3)).shape == (0, 3)
    assert ops.dequantise(device, "Q4_1", np.zeros((0, 20), np.uint8)).shape == (0, 32)


def test_a_product_without_depth_is_zero(device: Device) -> None:
    product = ops.gemm_f32(device, floats(3, 0), floats(0, 4))
    assert np.array_equal(product, np.zeros((3, 4), np.float32))


@pytest.mark.usefixtures("device")
def test_misaligned_tensors_are_refused(device: Device) -> None:
    with HipBuffer(1024) as buffer, Scope() as scope:
        x = Tensor(buffer, (2, 8), F32, 2)
        with pytest.raises(ValueError, match=r"x lies at 0x.*not aligned to 4 bytes"):
            ops.launch_softmax(device, x, scope.empty((2, 8), F32))
        blocks = scope.upload(np.zeros((1, 20), np.uint8))
        with pytest.raises(ValueError, match=r"values lies at 0x.*not aligned to 16 bytes"):
            ops.launch_dequantise(device, "Q4_1", blocks, Tensor(buffer, (1, 32), F32, 4))


def test_overlaps_are_refused(device: Device) -> None:
    with HipBuffer(1024) as buffer:
        square = Tensor(buffer, (4, 4), F32)
        shifted = Tensor(buffer, (4, 4), F32, 16)
        with pytest.raises(ValueError, match="a and c both hold address 0x"):
            ops.launch_gemm_f32(device, square, square, shifted)
        with pytest.raises(ValueError, match="x and y both hold address 0x"):
            ops.launch_softmax(device, square, shifted)


def test_softmax_in_place(device: Device) -> None:
    with Scope() as scope:
        x = scope.upload(floats(3, 100))
        ops.launch_softmax(device, x, x)
        assert np.all(x.download() == np.float32(0.01))


def test_an_offset_view_is_fine_where_it_is_aligned(device: Device) -> None:
    generator = np.random.default_rng(3)
    blocks = generator.integers(0, 256, (5, 34), dtype=np.uint8)
    expected = ops.dequantise(device, "Q8_0", blocks[3:].copy())
    with Scope() as scope:
        stored = scope.upload(blocks)
        view = Tensor(stored.buffer, (2, 34), np.dtype(np.uint8), 3 * 34)  # 2-byte aligned only
        values = scope.empty((2, 32), F32)
        ops.launch_dequantise(device, "Q8_0", view, values)
        assert np.array_equal(values.download(), expected, equal_nan=True)


def test_a_grid_that_hip_refuses_is_refused_here() -> None:
    with pytest.raises(ValueError, match="softmax of 1 rows would take 4194304 blocks of 1024"):
        checks.blocks_for("softmax of 1 rows", 1 << 32, 1024)
    assert checks.blocks_for("it", (1 << 32) - 1024, 1024) == (1 << 22) - 1


def test_rows_get_whole_waves_of_either_width() -> None:
    for columns in (1, 31, 64, 2048, 2049, 4096, 1 << 20):
        block = block_for(columns)
        assert block % 64 == 0
        assert 64 <= block <= 1024


def test_the_height_counts_every_addition() -> None:
    # 64 threads with 32 columns each; a wave of 64 folds in 6, two waves of 32 in 5 and one more.
    assert block_for(2048) == 64
    assert summation_height(2048, 64) == 32 + 6
    assert summation_height(2048, 32) == 32 + 5 + 1


def test_element_wise_shapes_must_be_equal(device: Device) -> None:
    with pytest.raises(ValueError, match=r"b has shape \(3,\), not \(4,\)"):
        ops.add(device, floats(4), floats(3))


def test_element_wise_kernels_take_any_length_and_offset(device: Device) -> None:
    numbers = np.arange(1037, dtype=np.float32)
    with Scope() as scope:
        x = scope.upload(numbers)
        view = Tensor(x.buffer, (1030,), F32, 4 * 7)  # no multiple of 16 bytes
        ops.launch_scale(device, view, view, 2.0)
        assert np.array_equal(x.download(), [*numbers[:7], *(2 * numbers[7:])])


def test_an_unknown_conversion_is_refused(device: Device) -> None:
    with pytest.raises(TypeError, match="no kernel converts float16 to float16"):
        ops.convert(device, np.zeros(3, np.float16), "float16")
    with pytest.raises(TypeError, match="no kernel converts to float64; there are bfloat16, float"):
        ops.convert(device, np.zeros(3, np.float16), "float64")
    with pytest.raises(ValueError, match="a conversion to float16 does not saturate"):
        ops.convert(device, floats(3), "float16", saturate=True)


def test_one_format_for_all_operands(device: Device) -> None:
    with pytest.raises(TypeError, match="b is float32, not float16"):
        ops.add(device, floats(3).astype(np.float16), floats(3))
    with pytest.raises(TypeError, match="x is float64, not float32"):
        ops.silu(device, floats(3).astype(np.float64))
    with pytest.raises(TypeError, match="weight is float32, not float16"):
        ops.rms_norm(device, floats(2, 3).astype(np.float16), floats(3))


def test_an_index_outside_the_table_is_refused(device: Device) -> None:
    table = np.zeros((5, 34), np.uint8)
    for index in (-1, 5):
        indices = np.array([0, index], np.int32)
        with pytest.raises(ValueError, match=f"index {index} lies outside a table of 5 rows"):
            ops.embedding(device, floats(5, 2), indices)
        with pytest.raises(ValueError, match=f"index {index} lies outside a table of 5 rows"):
            ops.quantised_embedding(device, "Q8_0", table, indices)


def test_an_index_that_only_the_kernel_sees_makes_nan(device: Device) -> None:
    with Scope() as scope:
        table, y = scope.upload(floats(5, 3)), scope.empty((3, 3), F32)
        ops.launch_embedding(device, table, scope.upload(np.array([5, 4, -1], np.int32)), y)
        assert np.array_equal(np.isnan(y.download())[:, 0], [True, False, True])


def test_a_quantised_table_has_whole_blocks_and_known_ones(device: Device) -> None:
    indices = np.zeros(2, np.int32)
    with pytest.raises(ValueError, match=r"table has shape \(3, 35\): Q8_0 rows are multiples"):
        ops.quantised_embedding(device, "Q8_0", np.zeros((3, 35), np.uint8), indices)
    with pytest.raises(ValueError, match="no kernel for the format Q9"):
        ops.quantised_embedding(device, "Q9", np.zeros((3, 34), np.uint8), indices)
    assert ops.quantised_embedding(
        device, "Q8_0", np.zeros((3, 34), np.uint8), np.zeros((2, 0), np.int32)
    ).shape == (2, 0, 32)


def test_rows_without_elements_have_no_reduction(device: Device) -> None:
    with pytest.raises(ValueError, match=r"x has shape \(2, 0\): rows without elements"):
        ops.sum_tree(device, floats(2, 0))
    assert ops.row_max(device, floats(0, 0)).shape == (0,)


@pytest.mark.parametrize("position", [-1, (1 << 24) + 1])
def test_a_position_that_float32_skips_is_refused(device: Device, position: int) -> None:
    with pytest.raises(ValueError, match=f"position {position} is outside"):
        ops.rope(device, floats(1, 1, 4), np.array([position], np.int32))


def test_a_rotation_of_more_than_the_head_is_refused(device: Device) -> None:
    with pytest.raises(ValueError, match="rotated is 6, outside 0 to 4"):
        ops.rope(device, floats(1, 1, 4), np.zeros(1, np.int32), rotated=6)
    with pytest.raises(ValueError, match="rotated is 3, not an even number"):
        ops.rope(device, floats(1, 1, 4), np.zeros(1, np.int32), rotated=3)


def test_an_int_that_a_kernel_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="2147483648 does not fit into a kernel's int"):
        packed(1 << 31)
    assert [type(value).__name__ for value in packed(1, 1.0, Size(1 << 40))] == [
        "c_int",
        "c_float",
        "c_ulong",
    ]


def test_experts_refuse_what_does_not_fit(device: Device) -> None:
    with pytest.raises(ValueError, match="experts is 1025, outside 1 to 1024"):
        ops.router(device, floats(1, 1025), 1)
    with pytest.raises(ValueError, match="count is 5, outside 1 to 4"):
        ops.router(device, floats(1, 4), 5)
    with pytest.raises(ValueError, match=r"offsets are \[0, 3\], not rising from 0 to 2"):
        ops.grouped_gemm(device, floats(2, 4), floats(1, 4, 4), np.array([0, 3], np.int32))
    blocks, edges = np.zeros((1, 3, 34), np.uint8), np.array([0, 2], np.int32)
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\), not \(2, 5\)"):
        ops.grouped_gemm(device, floats(2, 4), floats(1, 4, 5), edges, transposed=True)
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\), not \(2, 32\)"):
        ops.quantised_grouped_gemm(device, "Q8_0", blocks, floats(2, 4), edges)
    with pytest.raises(ValueError, match="position has 2, outside 0 to 1"):
        ops.combine(device, floats(2, 4), floats(1, 2), np.array([0, 2], np.int32))


def test_a_pair_without_an_expert_comes_last(device: Device) -> None:
    chosen = np.array([1, -1, 0, 7, 1], np.int32)
    source, offsets, position = ops.permute(device, chosen, 2)
    assert source.tolist() == [2, 0, 4, 1, 3]
    assert offsets.tolist() == [0, 1, 3]
    assert position.tolist() == [1, 3, 0, 4, 2]


def test_sampling_refuses_what_has_no_meaning(device: Device) -> None:
    with pytest.raises(ValueError, match=r"temperature is 0.0, outside"):
        ops.temperature(device, floats(1, 4), 0.0)
    with pytest.raises(ValueError, match="penalty is nan, outside"):
        ops.repetition_penalty(device, floats(1, 4), np.zeros((1, 4), np.bool_), float("nan"))
    with pytest.raises(ValueError, match="k is 5, outside 1 to 4"):
        ops.top_k(device, floats(1, 4), 5)
    with pytest.raises(ValueError, match=r"p is 1.5, outside 0.0 to 1.0"):
        ops.top_p(device, floats(1, 4), 1.5)
    with pytest.raises(ValueError, match="seed is -1, outside 0 to"):
        ops.uniform(device, 4, -1)
    with pytest.raises(ValueError, match=r"keys has shape \(2,\), not \(1, 2\)"):
        ops.multinomial(device, floats(1, 4), np.zeros(2, np.uint64))
    with pytest.raises(TypeError, match="keys is int64, not uint64"):
        ops.multinomial(device, floats(1, 4), np.zeros((1, 2), np.int64))


def test_draws_follow_the_probabilities(device: Device) -> None:
    probabilities = np.tile(np.array([0.5, 0.25, 0.0, 0.25], np.float32), (4000, 1))
    keys = np.stack([np.full(4000, 2026), np.arange(4000)], axis=-1).astype(np.uint64)
    tokens = ops.multinomial(device, probabilities, keys)
    counts = np.bincount(tokens, minlength=4)
    expected = np.array([2000, 1000, 1000])
    # Chi-square with two degrees of freedom: beyond 13.8 once in a thousand seeds; this is one.
    assert np.sum((counts[[0, 1, 3]] - expected) ** 2 / expected) < 13.8
    assert counts[2] == 0
    some = ops.multinomial(device, probabilities[:70], keys[1230:1300])
    assert np.array_equal(some, tokens[1230:1300]), "whatever rows are beside it"


def test_axes_in_another_order(device: Device) -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert np.array_equal(ops.permute_axes(device, x, (1, 0, 2)), x.transpose(1, 0, 2))
    with pytest.raises(ValueError, match=r"axes is \(0, 0, 1\), no order of the axes of"):
        ops.permute_axes(device, x, (0, 0, 1))


def test_a_view_that_leaves_its_array_is_refused(device: Device) -> None:
    x = floats(10)
    with pytest.raises(ValueError, match="the view's last element is 10, outside 0 to 9"):
        ops.copy_strided(device, x, (6,), (2,), 0)
    with pytest.raises(ValueError, match="first is -1, outside 0 to 9"):
        ops.copy_strided(device, x, (3,), (-1,), 1)
    with pytest.raises(ValueError, match=r"strides is \(1, 1\), not one for each of at most 4"):
        ops.copy_strided(device, x, (3,), (1, 1), 0)
    with pytest.raises(TypeError, match="no kernel copies elements of 64 bits"):
        ops.copy_strided(device, x.astype(np.float64), (3,), (1,), 0)


def test_audio_refuses_what_does_not_fit(device: Device) -> None:
    with pytest.raises(ValueError, match="a frame of 34 has the prime factor 17"):
        ops.power_spectrum(device, floats(1, 100), floats(34), 10)
    with pytest.raises(ValueError, match="frame length is 4096, outside 1 to 2048"):
        ops.power_spectrum(device, floats(1, 5000), floats(4096), 10)
    with pytest.raises(ValueError, match="hop is 0, outside"):
        ops.power_spectrum(device, floats(1, 100), floats(16), 0)
    with pytest.raises(ValueError, match="taps is 7, outside 1 to 6"):
        ops.conv1d_depthwise(device, floats(1, 2, 4), floats(2, 7), floats(2), padding=1)
    same = (floats(1, 1, 3, 8),) * 3
    with pytest.raises(ValueError, match=r"encoding has shape \(1, 4, 8\), not \(1, 5, 8\)"):
        ops.relative_attention(device, *same, floats(1, 4, 8), floats(1, 8), floats(1, 8))


def test_a_signal_shorter_than_a_frame_has_no_frames(device: Device) -> None:
    assert ops.power_spectrum(device, floats(2, 15), floats(16), 4).shape == (2, 0, 9)


def test_long_rows_need_their_scratch(device: Device) -> None:
    with Scope() as scope:
        x, y = scope.upload(floats(1, 9000)), scope.empty((1, 9000), np.float32)
        with pytest.raises(ValueError, match=r"totals has shape \(1, 1\), not \(1, 2\)"):
            ops.launch_prefix_sum_long(device, x, y, scope.empty((1, 1), np.float32))
