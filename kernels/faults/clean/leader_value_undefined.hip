// Only the leader of those that are active has a value to hand out; the others' variable is never
// set, and the shuffle ignores what they bring.
// RUN: --kernel compact --grid 2 --block 128 --arg i32[256]=iota --arg i32[256]=zeros
// RUN: --arg i32[1]=zeros --arg i32[256]=zeros --arg i32[1]=zeros
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

struct Places {
  int first;
};

__device__ int place_in(int* count) {
  const auto group = cooperative_groups::coalesced_threads();
  Places got;
  if (group.thread_rank() == 0) got.first = atomicAdd(count, static_cast<int>(group.num_threads()));
  return group.shfl(got.first, 0) + static_cast<int>(group.thread_rank());
}

__device__ int place_of(int* count, bool taken) {
  const unsigned long long mask = __ballot(taken);
  const int leader = __ffsll(static_cast<long long>(mask)) - 1;
  Places got;
  if (static_cast<int>(__lane_id()) == leader) got.first = atomicAdd(count, __popcll(mask));
  return __shfl(got.first, leader) + __popcll(mask & ((1ull << __lane_id()) - 1));
}

__global__ void compact(const int* in, int* odd, int* odds, int* third, int* thirds) {
  const int value = in[blockIdx.x * blockDim.x + threadIdx.x];
  const bool is_odd = value % 2 != 0;
  const int place = place_of(odds, is_odd);
  if (is_odd) odd[place] = value;
  if (value % 3 == 0) third[place_in(thirds)] = value;
}
