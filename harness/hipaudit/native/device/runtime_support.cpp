// What the header-only parts of libc++ expect of a C++ library that is not linked.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

namespace {

void* allocate_or_die(size_t size) {
  void* memory = malloc(size == 0 ? 1 : size);
  if (memory != nullptr) return memory;
  fputs("hipaudit: out of memory\n", stderr);
  abort();
}

}  // namespace

void* operator new(size_t size) { return allocate_or_die(size); }
void* operator new[](size_t size) { return allocate_or_die(size); }
void* operator new(size_t size, std::align_val_t align) {
  void* memory = nullptr;
  if (posix_memalign(&memory, static_cast<size_t>(align), size) != 0) return allocate_or_die(size);
  return memory;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { free(memory); }

// libc++ declares these as compiled elsewhere.
template class std::basic_string<char>;
template std::string std::operator+(const std::string&, const std::string&);
template std::string std::operator+(const char*, const std::string&);

_LIBCPP_BEGIN_NAMESPACE_STD
namespace {

template <typename Number>
string format_number(const char* format, Number value) {
  char text[24];
  snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

string to_string(int value) { return format_number("%d", value); }
string to_string(unsigned value) { return format_number("%u", value); }
string to_string(long value) { return format_number("%ld", value); }
string to_string(unsigned long value) { return format_number("%lu", value); }

[[noreturn]] void __libcpp_verbose_abort(const char* format, ...) noexcept {
  fputs(format, stderr);
  abort();
}
_LIBCPP_END_NAMESPACE_STD
