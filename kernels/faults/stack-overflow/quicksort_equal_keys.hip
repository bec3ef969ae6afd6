// Recursive quicksort that keeps the pivot in the left part: on equal keys the left part is the
// whole range again, and the recursion never ends. The twin leaves the pivot out.
// RUN: --kernel sort --grid 1 --block 1 --arg i32[32]=ones --arg i32=32
#include <hip/hip_runtime.h>

__noinline__ __device__ void quicksort(int* keys, int low, int high) {  // FAULT: stack-overflow at
  if (low >= high) return;                                              // FAULT: stack-overflow at
  const int pivot = keys[high];
  int place = low;
  for (int i = low; i < high; ++i) {
    if (keys[i] <= pivot) {
      const int swapped = keys[i];
      keys[i] = keys[place];
      keys[place++] = swapped;
    }
  }
  keys[high] = keys[place];
  keys[place] = pivot;
#ifndef TWIN
  const int left_end = place;
#else
  const int left_end = place - 1;
#endif
  quicksort(keys, low, left_end);  // FAULT: stack-overflow at
  quicksort(keys, place + 1, high);
}

__global__ void sort(int* keys, int n) { quicksort(keys, 0, n - 1); }
