// C++ conveniences over the C API: typed pointers, kernels and symbols instead of void*, and the
// launch macros. Host code only.
#pragma once

#define HIP_SYMBOL(X) X
#define HIP_KERNEL_NAME(...) __VA_ARGS__
#define hipLaunchKernelGGL(kernel, grid, block, shared, stream, ...) \
  kernel<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__)

template <typename T>
inline hipError_t hipMalloc(T** pointer, size_t size) {
  return hipMalloc(reinterpret_cast<void**>(pointer), size);
}

template <typename T>
inline hipError_t hipExtMallocWithFlags(T** pointer, size_t size, unsigned int flags) {
  return hipExtMallocWithFlags(reinterpret_cast<void**>(pointer), size, flags);
}

template <typename T>
inline hipError_t hipMallocManaged(T** pointer, size_t size,
                                   unsigned int flags = hipMemAttachGlobal) {
  return hipMallocManaged(reinterpret_cast<void**>(pointer), size, flags);
}

template <typename T>
inline hipError_t hipMallocPitch(T** pointer, size_t* pitch, size_t width, size_t height) {
  return hipMallocPitch(reinterpret_cast<void**>(pointer), pitch, width, height);
}

template <typename T>
inline hipError_t hipHostMalloc(T** pointer, size_t size,
                                unsigned int flags = hipHostMallocDefault) {
  return hipHostMalloc(reinterpret_cast<void**>(pointer), size, flags);
}

template <typename T>
inline hipError_t hipHostAlloc(T** pointer, size_t size, unsigned int flags) {
  return hipHostAlloc(reinterpret_cast<void**>(pointer), size, flags);
}

template <typename T>
inline hipError_t hipMallocHost(T** pointer, size_t size) {
  return hipMallocHost(reinterpret_cast<void**>(pointer), size);
}

template <typename T>
inline hipError_t hipHostGetDevicePointer(T** device, void* host, unsigned int flags = 0) {
  return hipHostGetDevicePointer(reinterpret_cast<void**>(device), host, flags);
}

template <typename T>
inline hipError_t hipMallocAsync(T** pointer, size_t size, hipStream_t stream) {
  return hipMallocAsync(reinterpret_cast<void**>(pointer), size, stream);
}

template <typename T>
inline hipError_t hipMallocAsync(T** pointer, size_t size, hipMemPool_t pool, hipStream_t stream) {
  return hipMallocFromPoolAsync(reinterpret_cast<void**>(pointer), size, pool, stream);
}

template <typename T>
inline hipError_t hipMallocFromPoolAsync(T** pointer, size_t size, hipMemPool_t pool,
                                         hipStream_t stream) {
  return hipMallocFromPoolAsync(reinterpret_cast<void**>(pointer), size, pool, stream);
}

template <typename T>
inline hipError_t hipGetSymbolAddress(void** address, const T& symbol) {
  return hipGetSymbolAddress(address, reinterpret_cast<const void*>(&symbol));
}

template <typename T>
inline hipError_t hipGetSymbolSize(size_t* size, const T& symbol) {
  return hipGetSymbolSize(size, reinterpret_cast<const void*>(&symbol));
}

template <typename T>
inline hipError_t hipMemcpyToSymbol(const T& symbol, const void* source, size_t size,
                                    size_t offset = 0, hipMemcpyKind kind = hipMemcpyHostToDevice) {
  return hipMemcpyToSymbol(reinterpret_cast<const void*>(&symbol), source, size, offset, kind);
}

template <typename T>
inline hipError_t hipMemcpyToSymbolAsync(const T& symbol, const void* source, size_t size,
                                         size_t offset, hipMemcpyKind kind,
                                         hipStream_t stream = 0) {
  return hipMemcpyToSymbolAsync(reinterpret_cast<const void*>(&symbol), source, size, offset, kind,
                                stream);
}

template <typename T>
inline hipError_t hipMemcpyFromSymbol(void* destination, const T& symbol, size_t size,
                                      size_t offset = 0,
                                      hipMemcpyKind kind = hipMemcpyDeviceToHost) {
  return hipMemcpyFromSymbol(destination, reinterpret_cast<const void*>(&symbol), size, offset,
                             kind);
}

template <typename T>
inline hipError_t hipMemcpyFromSymbolAsync(void* destination, const T& symbol, size_t size,
                                           size_t offset, hipMemcpyKind kind,
                                           hipStream_t stream = 0) {
  return hipMemcpyFromSymbolAsync(destination, reinterpret_cast<const void*>(&symbol), size, offset,
                                  kind, stream);
}

template <typename F>
inline hipError_t hipFuncGetAttributes(hipFuncAttributes* attributes, F* kernel) {
  return hipFuncGetAttributes(attributes, reinterpret_cast<const void*>(kernel));
}

template <typename F>
inline hipError_t hipFuncSetAttribute(F* kernel, hipFuncAttribute attribute, int value) {
  return hipFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}

template <typename F>
inline hipError_t hipFuncSetCacheConfig(F* kernel, hipFuncCache_t config) {
  return hipFuncSetCacheConfig(reinterpret_cast<const void*>(kernel), config);
}

template <typename F>
inline hipError_t hipLaunchKernel(F* kernel, dim3 grid, dim3 block, void** arguments,
                                  size_t shared = 0, hipStream_t stream = 0) {
  return hipLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, shared,
                         stream);
}

template <typename F>
inline hipError_t hipLaunchCooperativeKernel(F* kernel, dim3 grid, dim3 block, void** arguments,
                                             unsigned int shared, hipStream_t stream) {
  return hipLaunchCooperativeKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments,
                                    shared, stream);
}

template <typename F>
inline hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, F* kernel,
                                                               int block_size, size_t shared) {
  return hipOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void*>(kernel),
                                                      block_size, shared);
}

template <typename F>
inline hipError_t hipOccupancyMaxPotentialBlockSize(int* grid_size, int* block_size, F* kernel,
                                                    size_t shared = 0, int limit = 0) {
  return hipOccupancyMaxPotentialBlockSize(grid_size, block_size,
                                           reinterpret_cast<const void*>(kernel), shared, limit);
}

inline hipError_t hipEventCreate(hipEvent_t* event, unsigned int flags) {
  return hipEventCreateWithFlags(event, flags);
}

inline hipError_t hipGraphInstantiate(hipGraphExec_t* executable, hipGraph_t graph,
                                      unsigned long long flags) {
  return hipGraphInstantiateWithFlags(executable, graph, flags);
}

template <typename T>
inline hipChannelFormatDesc hipCreateChannelDesc();

template <>
inline hipChannelFormatDesc hipCreateChannelDesc<float>() {
  return hipCreateChannelDesc(32, 0, 0, 0, hipChannelFormatKindFloat);
}
