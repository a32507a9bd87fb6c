"""`scripts/gpu_tests` runs, over the stand-ins of CuPy and cuBLASLt, and finds what is wrong."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import standin_nccl

import kerasish_core as core

SCRIPT = Path(__file__).parents[2] / "scripts" / "gpu_tests"


def run(monkeypatch, *arguments):
    loader = importlib.machinery.SourceFileLoader("gpu_tests", str(SCRIPT))
    spec = importlib.util.spec_from_loader("gpu_tests", loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "path", [*sys.path])
    loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", ["gpu_tests", *arguments])
    return module.main()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_everything_agrees(gpu, monkeypatch, capsys, dtype):
    monkeypatch.setattr(standin_nccl, "SUM", standin_nccl.of_threads)
    assert run(monkeypatch, "--dtype", dtype) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "on gpu:0" and "FAILED" not in "".join(lines)
    counted, of, total, _ = lines[-1].split()
    assert of == "of" and counted == total and int(total) > 200


def test_a_wrong_result_is_told(gpu, monkeypatch, capsys):
    op = core.REGISTRY["exp2"]
    real = op.kernel
    monkeypatch.setattr(
        op, "kernel", lambda xp, x: real(xp, x) * (1 if xp is np else 1.001), raising=True
    )
    assert run(monkeypatch, "--only", "exp2", "--dtype", "float32") == 1
    assert "FAILED exp2, float32: AssertionError" in capsys.readouterr().out


def test_factors_that_only_give_the_right_product_are_told(gpu, monkeypatch, capsys):
    """Signs are free, lengths are not."""
    op = core.REGISTRY["qr"]
    real = op.kernel

    def kernel(by):
        def run(xp, x, **attrs):
            q, r = real(xp, x, **attrs)
            return (q, r) if xp is np else (q * by, r / by)

        return run

    for by, wrong in ((-1, 0), (2, 1)):
        monkeypatch.setattr(op, "kernel", kernel(by))
        assert run(monkeypatch, "--only", "qr", "--dtype", "float32") == wrong
    assert "FAILED qr, float32: AssertionError" in capsys.readouterr().out
