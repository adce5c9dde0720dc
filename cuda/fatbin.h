// The compiled GPU code, which the build puts into the addon as bytes: a fat binary of nvcc's with real code
// for every architecture of cuda/nvcc.json and PTX of the last, as cuModuleLoadData takes it. Its own library
// (isometry_gpu_code), so that a test can bring bytes of its own: it defines all three names in one source
// file.
#ifndef ISOMETRY_CUDA_FATBIN_H_
#define ISOMETRY_CUDA_FATBIN_H_

#include <cstdint>

extern "C" {

// Aligned to 16 bytes.
extern const unsigned char isometry_fatbin[];

// 0 when the addon was built without GPU code.
extern const uint64_t isometry_fatbin_bytes;

// Of the CUDA toolkit that compiled it, as CUDA writes versions: 13000 is 13.0. A driver runs the code of
// every toolkit of its own major version and of older ones. 0 when there is no GPU code.
extern const int isometry_fatbin_version;

}  // extern "C"

#endif  // ISOMETRY_CUDA_FATBIN_H_
