// Profiles: the real parts that the emulated device presents itself as.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hipaudit {

// Public figures of one part, as a ROCm system reports them. Units are in the names.
struct Profile {
  const char* arch;           // gfx942
  const char* name;           // what hipDeviceProp_t::name says
  const char* gcn_arch_name;  // with the target features that the part has
  int major;
  int minor;
  int wave;  // threads a wave
  int max_threads_per_block;
  int max_threads_per_multiprocessor;
  int multiprocessors;  // as HIP counts them: CUs, on RDNA pairs of CUs (WGPs)
  int simds_per_multiprocessor;
  int waves_per_simd;
  int vgprs_per_simd;    // registers of a lane that the waves of a SIMD share
  int vgprs_per_thread;  // of which one wave can address so many (with AccVGPRs on CDNA)
  int vgpr_granule;      // allocated in steps of so many
  int sgprs_per_wave;
  size_t lds_bytes;  // per block, and per CU
  size_t lds_granule_bytes;
  int clock_khz;
  int memory_clock_khz;
  int memory_bus_bits;
  size_t memory_bytes;
  size_t l2_bytes;
  int xccs;  // compute dies that one device spreads over
  int pci_chip_id;
  bool ecc;

  int registers_per_multiprocessor() const {
    return vgprs_per_simd * simds_per_multiprocessor * wave;
  }
  int max_waves_per_multiprocessor() const { return waves_per_simd * simds_per_multiprocessor; }
};

// The profile of that name, or nullptr.
const Profile* find_profile(const char* arch);

// The profile that the settings name.
const Profile& current_profile();

}  // namespace hipaudit
