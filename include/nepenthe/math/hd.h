/* SPDX-License-Identifier: Apache-2.0 */
/* hd - marks a formula that is compiled for host and device alike. One of the two headers with CUDA conditionals. */
#ifndef NEPENTHE_MATH_HD_H
#define NEPENTHE_MATH_HD_H

#if defined(__CUDACC__)
#define NEP_HD static __host__ __device__ __forceinline__
#else
#define NEP_HD static inline
#endif

#endif
