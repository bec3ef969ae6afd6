"""The parts that code is studied for, and how many waves of a kernel one holds.

Sources: LLVM's AMDGPU target (register totals and granules, waves a SIMD, barriers a compute
unit: AMDGPUBaseInfo.cpp); AMD's instruction set guides of CDNA 3, RDNA 3 and RDNA 4 (section
"Wave state"); ROCm's "GPU hardware specifications" (LDS).
"""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A part's limits; a processor is what runs a block: a compute unit, or a pair (WGP) of RDNA.

    wave           threads a wave
    simds          SIMDs a processor
    waves          waves a SIMD
    vgprs          vector registers a lane and SIMD, shared by its waves; *granule* at a time
    sgprs          scalar registers a SIMD, 16 at a time; None where they never limit
    lds_bytes      LDS a processor; a block takes at most *lds_block*, *lds_granule* at a time
    barriers       blocks of more than one wave a processor
    """

    name: str
    wave: int
    simds: int
    waves: int
    vgprs: int
    granule: int
    sgprs: int | None
    lds_bytes: int
    lds_block: int
    lds_granule: int
    barriers: int
    threads: int = 1024


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("gfx90a", 64, 4, 8, 512, 8, 800, 64 * KIB, 64 * KIB, 512, 16),
        Part("gfx942", 64, 4, 8, 512, 8, 800, 64 * KIB, 64 * KIB, 512, 16),
        Part("gfx950", 64, 4, 8, 512, 8, 800, 160 * KIB, 160 * KIB, 1280, 16),
        Part("gfx1100", 32, 4, 16, 1536, 24, None, 128 * KIB, 64 * KIB, 1024, 32),
        Part("gfx1201", 32, 4, 16, 1536, 24, None, 128 * KIB, 64 * KIB, 1024, 32),
    )
}


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Waves that a SIMD holds of a kernel.

    waves   0: not one block fits
    most    the part's limit
    limit   what keeps it below that: "vector registers", "scalar registers", "LDS", "block size";
            empty when nothing does
    """

    waves: int
    most: int
    limit: str


def occupancy(part: Part, *, vgprs: int, sgprs: int, lds_bytes: int, block: int) -> Occupancy:
    """How many waves a SIMD holds of a kernel launched in blocks of so many threads.

    A block's waves are spread over the SIMDs of one processor, and it starts only when all of
    them fit.
    """
    each = -(-block // part.wave)
    by_vectors = min(part.waves, part.vgprs // _up(max(vgprs, 1), part.granule))
    by_scalars = part.waves
    if part.sgprs is not None:
        by_scalars = min(part.waves, part.sgprs // _up(max(sgprs, 1), 16))
    blocks = {
        "vector registers": part.simds * by_vectors // each,
        "scalar registers": part.simds * by_scalars // each,
        "LDS": part.lds_bytes // _up(lds_bytes, part.lds_granule) if lds_bytes else 1 << 30,
        "block size": part.simds * part.waves // each,
    }
    if each > 1:
        blocks["block size"] = min(blocks["block size"], part.barriers)
    if lds_bytes > part.lds_block:
        blocks["LDS"] = 0
    fewest = min(blocks.values())
    # A block smaller than the processor's SIMDs still occupies one of them with a whole wave.
    waves = max(fewest * each // part.simds, 1) if fewest else 0
    limit = ""
    if waves < part.waves:
        # Of equal limits the coarsest is named: lowering the others would change nothing.
        names = ("block size", "LDS", "scalar registers", "vector registers")
        limit = next(name for name in names if blocks[name] == fewest)
    return Occupancy(waves, part.waves, limit)


def _up(value: int, granule: int) -> int:
    return -(-value // granule) * granule
