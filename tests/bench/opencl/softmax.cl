// kernels/softmax.hip in OpenCL C: a work-group a row, in aligned buffers. OpenCL 1.2 has no shuffles,
// so the work-group folds through local memory. The yardstick of tests/bench, for PoCL and Oclgrind.
#define MOST_THREADS 1024

float fold_max(float value, __local float* scratch) {
  const int thread = get_local_id(0);
  scratch[thread] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_way = get_local_size(0) / 2; half_way > 0; half_way /= 2) {
    if (thread < half_way) scratch[thread] = fmax(scratch[thread], scratch[thread + half_way]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return scratch[0];
}

float fold_sum(float value, __local float* scratch) {
  const int thread = get_local_id(0);
  scratch[thread] = value;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_way = get_local_size(0) / 2; half_way > 0; half_way /= 2) {
    if (thread < half_way) scratch[thread] += scratch[thread + half_way];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return scratch[0];
}

__kernel void softmax(__global const float* x, __global float* y, int columns) {
  __local float scratch[2][MOST_THREADS];
  __global const float* from = x + get_group_id(0) * (size_t)columns;
  __global float* to = y + get_group_id(0) * (size_t)columns;
  const int first = get_local_id(0);
  const int stride = get_local_size(0);
  const int vectors = columns % 4 == 0 ? columns / 4 : 0;
  const int singles = vectors == 0 ? columns : 0;
  __global const float4* from4 = (__global const float4*)from;
  __global float4* to4 = (__global float4*)to;

  float high = -INFINITY;
  for (int i = first; i < vectors; i += stride) {
    const float4 v = from4[i];
    high = fmax(high, fmax(fmax(v.x, v.y), fmax(v.z, v.w)));
  }
  for (int i = first; i < singles; i += stride) high = fmax(high, from[i]);
  high = fold_max(high, scratch[0]);
  if (high == -INFINITY) high = 0.0f;

  float sum = 0.0f;
  for (int i = first; i < vectors; i += stride) {
    const float4 powers = exp(from4[i] - high);
    to4[i] = powers;
    sum += (powers.x + powers.y) + (powers.z + powers.w);
  }
  for (int i = first; i < singles; i += stride) {
    const float power = exp(from[i] - high);
    to[i] = power;
    sum += power;
  }
  sum = fold_sum(sum, scratch[1]);

  if (sum == 0.0f) return;
  for (int i = first; i < vectors; i += stride) to4[i] /= sum;
  for (int i = first; i < singles; i += stride) to[i] /= sum;
}
