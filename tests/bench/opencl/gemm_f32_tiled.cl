// kernels/gemm_f32_tiled.hip in OpenCL C: the same tiles, the same work a thread, the same order.
// The yardstick of tests/bench, for PoCL and Oclgrind.
#define TILE 64
#define DEPTH 16
#define SIDE 4
#define THREADS 256
#define ROW (TILE + 4)

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void gemm_f32_tiled(
    __global const float* restrict a, __global const float* restrict b, __global float* restrict c,
    int m, int n, int k) {
  __local float left[DEPTH * ROW] __attribute__((aligned(16)));
  __local float right[DEPTH * ROW] __attribute__((aligned(16)));
  const uint thread = get_local_id(0);
  // Two dimensions and an unsigned thread: Oclgrind cannot run what a signed division by the side
  // of its remainder compiles to.
  const int row = get_group_id(1) * TILE;
  const int column = get_group_id(0) * TILE;
  const int i = thread / (TILE / SIDE) * SIDE;
  const int j = thread % (TILE / SIDE) * SIDE;

  float4 sums[SIDE] = {(float4)(0.0f), (float4)(0.0f), (float4)(0.0f), (float4)(0.0f)};
  for (int depth = 0; depth < k; depth += DEPTH) {
    for (int y = thread / DEPTH, p = thread % DEPTH; y < TILE; y += THREADS / DEPTH) {
      const bool inside = row + y < m && depth + p < k;
      left[p * ROW + y] = inside ? a[(size_t)(row + y) * k + depth + p] : 0.0f;
    }
    for (int p = thread / TILE, x = thread % TILE; p < DEPTH; p += THREADS / TILE) {
      const bool inside = column + x < n && depth + p < k;
      right[p * ROW + x] = inside ? b[(size_t)(depth + p) * n + column + x] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int p = 0; p < DEPTH; ++p) {
      const float4 rows = *(__local const float4*)&left[p * ROW + i];
      const float4 columns = *(__local const float4*)&right[p * ROW + j];
      sums[0] = mad((float4)(rows.x), columns, sums[0]);
      sums[1] = mad((float4)(rows.y), columns, sums[1]);
      sums[2] = mad((float4)(rows.z), columns, sums[2]);
      sums[3] = mad((float4)(rows.w), columns, sums[3]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  for (int y = 0; y < SIDE; ++y) {
    const float part[SIDE] = {sums[y].x, sums[y].y, sums[y].z, sums[y].w};
    for (int x = 0; x < SIDE; ++x) {
      const bool inside = row + i + y < m && column + j + x < n;
      if (inside) c[(size_t)(row + i + y) * n + column + j + x] = part[x];
    }
  }
}
