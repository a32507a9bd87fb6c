"""Programs of native kernels over one arena."""
