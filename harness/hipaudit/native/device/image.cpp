#include "image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "linker.h"
#include "source_unit.h"

namespace hipaudit {

bool read_file(const std::string& path, std::vector<char>* out) {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat status;
  bool good = fstat(file, &status) == 0;
  if (good) {
    out->resize(static_cast<size_t>(status.st_size));
    size_t done = 0;
    while (done < out->size()) {
      ssize_t got = read(file, out->data() + done, out->size() - done);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    good = done == out->size();
  }
  close(file);
  return good;
}

bool write_file(const std::string& path, const char* data, size_t size) {
  std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  size_t done = 0;
  while (done < size) {
    ssize_t put = write(file, data + done, size - done);
    if (put <= 0) break;
    done += static_cast<size_t>(put);
  }
  close(file);
  if (done == size && rename(temporary.c_str(), path.c_str()) == 0) return true;
  unlink(temporary.c_str());
  return false;
}

Image* Image::load(const std::string& object_path, std::string* error) {
  static uint64_t serial = 0;
  auto* image = new Image;
  image->serial_ = ++serial;
  image->path_ = object_path;
  Linker linker(*image);
  if (linker.run(object_path, error)) return image;
  delete image;
  return nullptr;
}

Image::~Image() {
  if (base_ != 0) munmap(reinterpret_cast<void*>(base_), span_);
}

const Kernel* Image::find_kernel(const std::string& name) const {
  for (const Kernel& kernel : kernels_)
    if (kernel.symbol == name) return &kernel;
  for (const Kernel& kernel : kernels_)
    if (kernel.name == name) return &kernel;
  return nullptr;
}

// Reports quote the program; many a one is a string of its caller's, and lies nowhere else.
void Image::write_source() const {
  std::string path = path_.substr(0, path_.rfind('.')) + ".source";
  if (unit_ == nullptr || access(path.c_str(), R_OK) == 0) return;
  std::string text = unit_->name + "\n" + unit_->text;
  write_file(path, text.data(), text.size());
}

std::string Image::debug_object() const {
  write_source();
  std::string path = path_.substr(0, path_.rfind('.')) + ".elf";
  if (access(path.c_str(), R_OK) == 0) return path;
  std::vector<char> object;
  if (!read_file(path_, &object)) return "";
  relocate_debug_sections(object, section_addresses_);
  return write_file(path, object.data(), object.size()) ? path : "";
}

}  // namespace hipaudit
