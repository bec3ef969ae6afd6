"""Every kind of finding: what it means, and what usually mends it.

SARIF's rules and the documentation are made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: *means* in one sentence, *mend* in another; both plain text."""

    name: str
    group: str
    means: str
    mend: str


_KERNEL = "memory safety in kernels"
_API = "memory safety at the API"
_NUMBERS = "numerics"
_HYGIENE = "hygiene"
_TESTS = "tests"

_TABLE = (
    (_KERNEL, "out-of-bounds-global", "An access lies outside of the buffer that it was meant for.",
     "Guard the index with the buffer's length, and check the length that the launch passes."),
    (_KERNEL, "out-of-bounds-shared", ("An access leaves its __shared__ variable, into another or "
     "beyond them all."),
     "Compare the variable's size with the largest index, and dynamic bytes with what is used."),
    (_KERNEL, "out-of-bounds-private", "An access leaves an array that a thread keeps for itself.",
     "Bound the loop by the array's length."),
    (_KERNEL, "misaligned-access", "An address is no multiple of what its type asks for.",
     "Use a narrower type, or start rows at aligned offsets."),
    (_KERNEL, "use-after-free",
     "Memory, a stream or an event is used after it was freed or destroyed.",
     "Free it behind the last use, with that work synchronised."),
    (_KERNEL, "uninitialised-read-global", "A value is read that nothing has written.",
     "Fill the buffer, or write the element before it is read."),
    (_KERNEL, "uninitialised-read-shared", "A shared value is read that no thread has written.",
     "Write every slot that is read, and put a barrier between."),
    (_KERNEL, "race-shared", ("Two threads of a block touch one place in shared memory without "
     "order, and one writes."),
     "Put __syncthreads() between the two lines, where all threads of the block reach it."),
    (_KERNEL, "race-global", ("Two threads of a block touch one place in global memory without "
     "order, and one writes."),
     "Put __syncthreads() between the two lines, or give each thread places of its own."),
    (_KERNEL, "race-grid", "Threads of two blocks touch one place without order, and one writes.",
     "Blocks have no order in a launch: use atomics, or split the work into two launches."),
    (_KERNEL, "race-atomic-scope", "Atomics meet whose scope does not cover both threads.",
     "Widen the scope to what both threads share: block, device or system."),
    (_KERNEL, "race-wave", "Lanes of a wave rely on running in lockstep.",
     "Say it: __syncwarp(), a shuffle, or a barrier."),
    (_KERNEL, "barrier-divergence", "Not all threads of a block reach the same barrier.",
     "Move the barrier out of the branch, or make the branch the same for all threads."),
    (_KERNEL, "barrier-without-fence", "A barrier orders threads but not their memory.",
     "Use __syncthreads(), or add the fence."),
    (_KERNEL, "deadlock", "Threads wait for what none of them will do.",
     "Let every thread that others wait for come to the same place."),
    (_KERNEL, "timeout", "A launch made no progress in the time it was given.",
     "Look for a loop whose condition never changes; --timeout gives more time."),
    (_KERNEL, "wild-access", "An address belongs to no memory of the device.",
     "Check the pointer's origin: host memory, a null pointer, an argument of another type."),
    (_KERNEL, "stack-overflow", "A thread's stack is full.",
     "Bound the recursion, or keep large arrays elsewhere."),
    (_KERNEL, "undefined-behaviour", "The language gives the operation no meaning.",
     "Widen the type before the arithmetic, or guard the operand."),
    (_KERNEL, "unwritten-output", "Elements of an output were never written.",
     "Cover all elements with the grid, the last partial block included."),
    (_API, "leak", "Memory or a resource of the device was never given back.",
     "Free it on every path, errors included."),
    (_API, "double-free", "Memory was freed twice.",
     "Give it one owner; a view must not free what it looks at."),
    (_API, "invalid-free", "What was freed is no allocation's beginning.",
     "Free the pointer that the allocation returned."),
    (_API, "mismatched-free", "Memory was freed by another kind of call than made it.",
     ("Pair hipMalloc with hipFree, hipHostMalloc with hipHostFree, hipMallocAsync with "
     "hipFreeAsync.")),
    (_API, "free-in-flight", "Memory was freed while work that uses it may still run.",
     "Synchronise the stream first, or free in the stream's order."),
    (_API, "copy-out-of-bounds", "A copy or fill goes beyond its source or target.",
     "Compare the bytes of the call with both allocations."),
    (_API, "canary-overwritten", "Bytes beside an allocation have changed.",
     "Look for the kernel or copy that writes past its end."),
    (_API, "missing-synchronisation", ("Streams, or a stream and the host, use memory without "
     "order."),
     "Record an event and wait for it, or synchronise."),
    (_API, "argument-mismatch", "A launch's arguments do not fit the kernel's parameters.",
     "Compare count, size and order; wrap scalars in their ctypes type."),
    (_API, "launch-limit", "A launch asks for more than the part has.",
     "Use fewer threads or less shared memory."),
    (_API, "layout-mismatch", "A structure laid out by hand differs from HIP's header.",
     "Take sizes and offsets from the header of the version in use."),
    (_API, "api-error-ignored", "A HIP call failed and nobody looked.",
     "Check what every call returns."),
    (_NUMBERS, "bound-exceeded", "An element is further from the reference than the bound allows.",
     "Look at the shrunk input; widen the accumulator or mend the algorithm, not the bound."),
    (_NUMBERS, "nonfinite-mismatch", ("NaN or infinity appears, or is lost, where the reference "
     "says otherwise."),
     "Follow the shrunk input through the special cases."),
    (_NUMBERS, "overflow", "A value that fits its output overflows on the way.",
     "Accumulate in a wider type, or subtract the maximum first."),
    (_NUMBERS, "conversion-inexact", "A conversion changes a value that it must keep.",
     "Convert through a type that holds it, with the rounding that is meant."),
    (_NUMBERS, "nondeterminism", "Equal inputs give different outputs.",
     "Fix the order of sums; avoid floating-point atomics."),
    (_NUMBERS, "wave-size-dependence", "The result differs between 32 and 64 threads a wave.",
     "Use warpSize instead of a number, and masks of 64 bits."),
    (_NUMBERS, "bound-vacuous", "No wrong output could have left the bound.",
     "Draw inputs at which the bound says something."),
    (_HYGIENE, "redundant-barrier", "A barrier orders nothing, for the inputs run.",
     "Remove it when the reason for it is gone."),
    (_HYGIENE, "unused-shared", "Shared memory is reserved and never touched.",
     "Remove it: it limits how many blocks fit."),
    (_HYGIENE, "register-spill", "The compiler keeps registers in memory.",
     "Use fewer live values, or smaller blocks through __launch_bounds__."),
    (_HYGIENE, "low-occupancy", "Few waves fit on a SIMD.",
     "Look at what limits it: registers, LDS or the block's size."),
    (_HYGIENE, "redundant-copy", "A copy brings nothing new.",
     "Keep the data where it is."),
    (_HYGIENE, "pageable-async-copy", "An asynchronous copy from pageable memory waits after all.",
     "Use pinned memory: hipHostMalloc."),
    (_HYGIENE, "hidden-synchronisation", "A call waits for the device without saying so.",
     "Use its asynchronous form, or move it out of the loop."),
    (_HYGIENE, "unused-kernel", "A kernel was compiled and never launched.",
     "Launch it or remove it."),
    (_TESTS, "mutant-survived", "A planted mistake was noticed by no test.",
     "Add the test that the finding describes."),
)  # fmt: skip

KINDS = {name: Kind(name, group, means, mend) for group, name, means, mend in _TABLE}


def kind_named(name: str) -> Kind:
    """Return a kind; one that this version does not know is told by its name."""
    words = name.replace("-", " ")
    return KINDS.get(name) or Kind(name, "other", f"{words.capitalize()}.", "See the message.")
