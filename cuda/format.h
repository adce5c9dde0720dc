// Numbers in messages.
#ifndef ISOMETRY_CUDA_FORMAT_H_
#define ISOMETRY_CUDA_FORMAT_H_

#include <cstdint>
#include <cstdio>
#include <string>

namespace isometry::cuda {

// "2.5 GiB (2684354560 bytes)"
inline std::string formatBytes(uint64_t bytes) {
  const std::string exact = std::to_string(bytes) + " bytes";
  if (bytes < 1024) return exact;
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  for (; value >= 1024 && unit < 5; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
  return text + (" (" + exact + ")");
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_FORMAT_H_
