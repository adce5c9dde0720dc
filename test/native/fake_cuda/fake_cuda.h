// For tests in C++ that are linked with the fake, or find these functions by name in it.
#ifndef ISOMETRY_TEST_FAKE_CUDA_H_
#define ISOMETRY_TEST_FAKE_CUDA_H_

#include <cstdint>

extern "C" {

// Allocations, pinned memory, streams, events, modules and retained contexts that are not freed, and those
// that were not when their context went.
int64_t fake_cuda_live();

// Calls since the start, or since the last reload.
int64_t fake_cuda_calls();

// How many of these were made to fail.
int64_t fake_cuda_injected();

// Kernels launched since the start.
int64_t fake_cuda_launches();

// Things done wrong since the start: written outside a block, freed twice, a context not popped, and the
// like.
int64_t fake_cuda_damage();

// Reads the environment again (control.h), counts calls from 0, and forgets that cuInit was called. Nothing
// else may call the fake meanwhile.
void fake_cuda_reload();
}

#endif  // ISOMETRY_TEST_FAKE_CUDA_H_
