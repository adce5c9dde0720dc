// The fake cuSOLVER, for tests in C++ that are linked with it. It computes on the host, with the fake
// driver's memory. Its settings, from the environment at every call:
//
//   FAKE_SOLVER_VERSION=12     major version that it says it has
//   FAKE_SOLVER_FAIL_AT=N      the N-th call since the last reload fails, or NAME: every call of that
//   function FAKE_SOLVER_FAIL_CODE=7    with this cusolverStatus_t FAKE_SOLVER_INFO=0         what geqrf
//   leaves in devInfo FAKE_SOLVER_WORKSPACE=0    bytes of device memory that geqrf asks for, if not 0
#ifndef ISOMETRY_TEST_FAKE_SOLVER_H_
#define ISOMETRY_TEST_FAKE_SOLVER_H_

#include <cstdint>

extern "C" {

// Handles and parameters that are not destroyed.
int64_t fake_solver_live();

// Calls that were made to fail since the last reload.
int64_t fake_solver_injected();

// Uses of handles that do not exist, and the like, since the start.
int64_t fake_solver_damage();

void fake_solver_reload();
}

#endif  // ISOMETRY_TEST_FAKE_SOLVER_H_
