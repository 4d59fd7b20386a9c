"""Matrix products of the CPU model's shapes: thinc's own BLAS (BLIS) beside numpy's, in one run.

python benchmarks/gemm.py
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy
from thinc.api import NumpyOps

SHAPES = {"tokens of 16 reports": (3000, 288, 288), "static vectors": (3000, 300, 96), "sentences": (200, 384, 384)}
REPEAT = 30


def gflops(ops: NumpyOps, shape: tuple[int, int, int]) -> float:
    rows, inner, columns = shape
    left = numpy.random.rand(rows, inner).astype("f")
    right = numpy.random.rand(columns, inner).astype("f")
    ops.gemm(left, right, trans2=True)
    began = time.perf_counter()
    for _ in range(REPEAT):
        ops.gemm(left, right, trans2=True)
    return 2 * rows * inner * columns * REPEAT / (time.perf_counter() - began) / 1e9


if __name__ == "__main__":
    for name, shape in SHAPES.items():
        blis, numpy_blas = gflops(NumpyOps(use_blis=True), shape), gflops(NumpyOps(use_blis=False), shape)
        print(f"{name}: BLIS {blis:.0f} GFLOP/s, numpy {numpy_blas:.0f} GFLOP/s, ratio {numpy_blas / blis:.1f}")
