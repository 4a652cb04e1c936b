# The CPU ops are loops over whole arrays: -O3 lets the compiler widen them where a family of kernels names its target;
# -fno-trapping-math lets it turn comparisons into masks (no result changes, no op reads the flags of exceptions).
file(GLOB NEP_CPU_OPS CONFIGURE_DEPENDS src/backend/cpu_*.c)
list(APPEND NEP_CPU_OPS src/similarity/pairs_score.c)
set_source_files_properties(${NEP_CPU_OPS} PROPERTIES COMPILE_OPTIONS "$<$<NOT:$<CONFIG:Debug>>:-O3;-fno-trapping-math>")
