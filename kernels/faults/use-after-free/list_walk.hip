// A list on the device heap, freed while it is walked: the step to the next node reads the node
// that was just freed. The twin takes the link before it frees.
// RUN: --kernel sum_lists --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=uninit
// RUN: --arg i32=4
#include <hip/hip_runtime.h>

struct Node {
  float value;
  Node* next;
};

__global__ void sum_lists(const float* in, float* out, int length) {
  Node* head = nullptr;
  for (int i = 0; i < length; ++i) {
    Node* node = static_cast<Node*>(malloc(sizeof(Node)));
    node->value = in[threadIdx.x] + i;
    node->next = head;
    head = node;
  }
  float sum = 0.0f;
  while (head != nullptr) {
    sum += head->value;
#ifndef TWIN
    free(head);
    head = head->next;  // FAULT: use-after-free at
#else
    Node* const next = head->next;
    free(head);
    head = next;
#endif
  }
  out[threadIdx.x] = sum;
}
