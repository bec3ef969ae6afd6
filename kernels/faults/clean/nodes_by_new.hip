// Every thread builds a list and a tree of objects with virtual functions by new, reads them, and
// gives all of it back by delete.
// RUN: --kernel lists --grid 2 --block 32 --arg i32[64]=uninit
#include <hip/hip_runtime.h>

struct Node {
  int value;
  Node* next;
};

struct Shape {
  __device__ virtual int area() const = 0;
  __device__ virtual ~Shape() {}
};
struct Square : Shape {
  int side;
  __device__ explicit Square(int length) : side(length) {}
  __device__ int area() const override { return side * side; }
};

__global__ void lists(int* out) {
  Node* head = nullptr;
  for (int i = 0; i < 4; ++i) head = new Node{i, head};
  int sum = 0;
  while (head != nullptr) {
    Node* next = head->next;
    sum += head->value;
    delete head;
    head = next;
  }
  Shape* shape = new Square(static_cast<int>(threadIdx.x));
  sum += shape->area();
  delete shape;
  int* row = new int[3]{1, 2, 3};
  sum += row[threadIdx.x % 3];
  delete[] row;
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
