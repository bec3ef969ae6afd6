// Sources: AMD's GPU specification tables (ROCm documentation, "AMD GPU specifications"), product
// pages for clocks and memory, LLVM's AMDGPU target description for registers and granules, and
// what ROCm systems print for memory sizes.
#include "profile.h"

#include <cstring>

#include "settings.h"

namespace hipaudit {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;
constexpr size_t kGiB = 1024 * kMiB;

constexpr Profile kProfiles[] = {
    {
        // One of the two dies of an MI250X: HIP shows each as a device of its own.
        .arch = "gfx90a",
        .name = "hipaudit emulated gfx90a (AMD Instinct MI250X)",
        .gcn_arch_name = "gfx90a:sramecc+:xnack-",
        .major = 9,
        .minor = 0,
        .wave = 64,
        .max_threads_per_block = 1024,
        .max_threads_per_multiprocessor = 2048,
        .multiprocessors = 110,
        .simds_per_multiprocessor = 4,
        .waves_per_simd = 8,
        .vgprs_per_simd = 512,
        .vgprs_per_thread = 512,
        .vgpr_granule = 8,
        .sgprs_per_wave = 102,
        .lds_bytes = 64 * kKiB,
        .lds_granule_bytes = 512,
        .clock_khz = 1700000,
        .memory_clock_khz = 1600000,
        .memory_bus_bits = 4096,
        .memory_bytes = 64 * kGiB - 16 * kMiB,
        .l2_bytes = 8 * kMiB,
        .xccs = 1,
        .pci_chip_id = 0x7408,
        .ecc = true,
    },
    {
        .arch = "gfx942",
        .name = "hipaudit emulated gfx942 (AMD Instinct MI300X)",
        .gcn_arch_name = "gfx942:sramecc+:xnack-",
        .major = 9,
        .minor = 4,
        .wave = 64,
        .max_threads_per_block = 1024,
        .max_threads_per_multiprocessor = 2048,
        .multiprocessors = 304,
        .simds_per_multiprocessor = 4,
        .waves_per_simd = 8,
        .vgprs_per_simd = 512,
        .vgprs_per_thread = 512,
        .vgpr_granule = 8,
        .sgprs_per_wave = 102,
        .lds_bytes = 64 * kKiB,
        .lds_granule_bytes = 512,
        .clock_khz = 2100000,
        .memory_clock_khz = 1300000,
        .memory_bus_bits = 8192,
        .memory_bytes = 192 * kGiB - 16 * kMiB,
        .l2_bytes = 4 * kMiB,  // of one die: what HIP reports; 8 dies have 32 MiB
        .xccs = 8,
        .pci_chip_id = 0x74a1,
        .ecc = true,
    },
    {
        .arch = "gfx950",
        .name = "hipaudit emulated gfx950 (AMD Instinct MI355X)",
        .gcn_arch_name = "gfx950:sramecc+:xnack-",
        .major = 9,
        .minor = 5,
        .wave = 64,
        .max_threads_per_block = 1024,
        .max_threads_per_multiprocessor = 2048,
        .multiprocessors = 256,
        .simds_per_multiprocessor = 4,
        .waves_per_simd = 8,
        .vgprs_per_simd = 512,
        .vgprs_per_thread = 512,
        .vgpr_granule = 8,
        .sgprs_per_wave = 102,
        .lds_bytes = 160 * kKiB,
        .lds_granule_bytes = 1280,
        .clock_khz = 2400000,
        .memory_clock_khz = 2000000,
        .memory_bus_bits = 8192,
        .memory_bytes = 288 * kGiB - 16 * kMiB,
        .l2_bytes = 4 * kMiB,
        .xccs = 8,
        .pci_chip_id = 0x75a3,
        .ecc = true,
    },
    {
        // 96 CUs in pairs that share a WGP; HIP counts the pairs.
        .arch = "gfx1100",
        .name = "hipaudit emulated gfx1100 (AMD Radeon RX 7900 XTX)",
        .gcn_arch_name = "gfx1100",
        .major = 11,
        .minor = 0,
        .wave = 32,
        .max_threads_per_block = 1024,
        .max_threads_per_multiprocessor = 2048,
        .multiprocessors = 48,
        .simds_per_multiprocessor = 4,
        .waves_per_simd = 16,
        .vgprs_per_simd = 1536,
        .vgprs_per_thread = 256,
        .vgpr_granule = 24,
        .sgprs_per_wave = 106,
        .lds_bytes = 64 * kKiB,
        .lds_granule_bytes = 1024,
        .clock_khz = 2500000,
        .memory_clock_khz = 1249000,
        .memory_bus_bits = 384,
        .memory_bytes = 24 * kGiB - 16 * kMiB,
        .l2_bytes = 6 * kMiB,
        .xccs = 1,
        .pci_chip_id = 0x744c,
        .ecc = false,
    },
    {
        // 64 CUs, 32 WGPs.
        .arch = "gfx1201",
        .name = "hipaudit emulated gfx1201 (AMD Radeon RX 9070 XT)",
        .gcn_arch_name = "gfx1201",
        .major = 12,
        .minor = 0,
        .wave = 32,
        .max_threads_per_block = 1024,
        .max_threads_per_multiprocessor = 2048,
        .multiprocessors = 32,
        .simds_per_multiprocessor = 4,
        .waves_per_simd = 16,
        .vgprs_per_simd = 1536,
        .vgprs_per_thread = 256,
        .vgpr_granule = 24,
        .sgprs_per_wave = 106,
        .lds_bytes = 64 * kKiB,
        .lds_granule_bytes = 1024,
        .clock_khz = 2970000,
        .memory_clock_khz = 1258000,
        .memory_bus_bits = 256,
        .memory_bytes = 16 * kGiB - 80 * kMiB,
        .l2_bytes = 8 * kMiB,
        .xccs = 1,
        .pci_chip_id = 0x7550,
        .ecc = false,
    },
};

}  // namespace

const Profile* find_profile(const char* arch) {
  for (const Profile& profile : kProfiles) {
    if (strcmp(profile.arch, arch) == 0) return &profile;
  }
  return nullptr;
}

const Profile& current_profile() { return *find_profile(settings().arch.c_str()); }

}  // namespace hipaudit
