// A node of a list on the device's heap, given back before its successor is read from it. The twin
// reads first.
// RUN: --kernel walk --grid 1 --block 4 --arg i32[4]=uninit
#include <hip/hip_runtime.h>

struct Node {
  int value;
  Node* next;
};

__global__ void walk(int* out) {
  Node* first = nullptr;
  for (int i = 0; i < 3; ++i) {
    auto* const node = static_cast<Node*>(malloc(sizeof(Node)));
    node->value = i + static_cast<int>(threadIdx.x);
    node->next = first;
    first = node;
  }
  int sum = 0;
  while (first != nullptr) {
    sum += first->value;
#ifndef TWIN
    free(first);
    first = first->next;  // FAULT: use-after-free at
#else
    Node* const next = first->next;
    free(first);
    first = next;
#endif
  }
  out[threadIdx.x] = sum;
}
