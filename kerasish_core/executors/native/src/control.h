// Control flow: kernels whose bodies are programs.
#pragma once

#include "kernel.h"

namespace kerasish {

// Ends with an entry without a name.
extern const Entry control_table[];

}  // namespace kerasish
