// Kernels by name, of the best instruction set that the machine has.
#pragma once

#include "kernel.h"

namespace kerasish {

const char* instruction_set();
// False if the machine or the build lacks it.
bool choose_instruction_set(const char* name);
Kernel find_kernel(const char* name);

}  // namespace kerasish
