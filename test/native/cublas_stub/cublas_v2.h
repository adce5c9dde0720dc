// What cusolverDn.h needs of cuBLAS's header, for solver_header_test.cc where cuBLAS, half a gigabyte, is not
// installed: enums that none of the functions that we declare takes.
#pragma once

#include <driver_types.h>

enum cublasFillMode_t : int {};
enum cublasOperation_t : int {};
enum cublasSideMode_t : int {};
enum cublasDiagType_t : int {};
