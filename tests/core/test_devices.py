"""Devices without a GPU: a stand-in for CuPy that is as strict, see `standin_cupy.py`."""

import numpy as np
import pytest
import standin_cupy
from oracles import STATISTICAL
from test_registry import ELEMENTWISE, OPS, samples

import kerasish
import kerasish_core as core
from kerasish_core import config, device
from kerasish_core.dispatch import apply


def on_gpu(cupy, array):
    return core.Tensor(cupy.asarray(np.asarray(array)))


def flat(found):
    return found if isinstance(found, tuple) else (found,)


def check(cupy, name, arrays, attrs, tolerance=1e-12):
    """The op's results on both devices are the same."""
    with core.device_scope("cpu"):
        expected = flat(apply(OPS[name], *map(core.convert, arrays), **attrs))
    got = flat(apply(OPS[name], *(on_gpu(cupy, a) for a in arrays), **attrs))
    for y, z in zip(got, expected, strict=True):
        assert type(y.value) is cupy.ndarray
        assert y.spec == z.spec
        np.testing.assert_allclose(
            y.numpy().astype("complex128"), z.numpy().astype("complex128"),
            rtol=tolerance, atol=tolerance,
        )  # fmt: skip


@pytest.mark.parametrize("name", OPS)
def test_generic_kernels_use_cupy_alone(cupy, name):
    for arrays, attrs in samples(name):
        check(cupy, name, arrays, attrs)


@pytest.mark.parametrize("batch", [(), (2,)])
def test_matrices_without_an_inverse(cupy, batch):
    """CuPy raises for them only when told to."""
    x = np.broadcast_to(np.zeros((2, 2), "float32"), (*batch, 2, 2))
    there = on_gpu(cupy, np.ascontiguousarray(x))
    assert np.isnan(core.ops.inv(there).numpy()).all()
    assert np.isnan(core.ops.solve(there, there).numpy()).all()
    for value in (there, x):
        with pytest.raises(ValueError, match=r"might not be a positive definite matrix"):
            kerasish.ops.cholesky(value)


@pytest.mark.parametrize("name", [n for n in OPS if OPS[n].kind != "random"])
def test_generic_kernels_in_other_dtypes(cupy, name):
    for arrays, attrs in samples(name):
        if "dtype" in attrs or not any(np.asarray(a).dtype == np.float64 for a in arrays):
            continue
        for dtype, tolerance in (("float32", 1e-5), ("float16", 2e-2), ("bfloat16", 1e-1)):
            kind = core.dtypes.as_dtype(dtype)
            given = [np.asarray(a) for a in arrays]
            check(cupy, name, [a.astype(kind) if a.dtype == np.float64 else a for a in given],
                  attrs, tolerance)  # fmt: skip


@pytest.mark.parametrize("name", [n for n in OPS if OPS[n].vjp and n not in STATISTICAL])
def test_gradient_rules_use_cupy_alone(cupy, name):
    for arrays, attrs in samples(name):
        results = []
        for where in ("cpu", "gpu"):
            with core.device_scope(where):
                tensors = [core.convert(a) for a in arrays]
                watched = [t for t in tensors if t.dtype.kind in "fc"]
                with core.GradientTape() as tape:
                    tape.watch(watched)
                    found = flat(apply(OPS[name], *tensors, **attrs))
                    ends = [core.ops.sum(y) for y in found if y.dtype.kind in "fc"]
                results.append(tape.gradient(ends, watched))
        for z, y in zip(*results, strict=True):
            if y is None or z is None:
                assert y is z
                continue
            assert type(y.value) is cupy.ndarray
            np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_number_goes_where_the_arrays_are(cupy, name):
    for arrays, attrs in samples(name):
        arrays = [np.asarray(a) for a in arrays]
        if len(arrays) < 2 or not arrays[0].ndim:
            continue
        number = np.asarray(arrays[1].reshape(-1)[0])
        y = apply(OPS[name], on_gpu(cupy, arrays[0]), core.Tensor(number),
                  *(on_gpu(cupy, a) for a in arrays[2:]), **attrs)  # fmt: skip
        assert type(y.value) is cupy.ndarray


def test_arrays_of_different_devices_are_refused_by_name(cupy):
    a, b = on_gpu(cupy, [1.0, 2.0]), core.to_device(np.array([1.0, 2.0]), "cpu")
    with pytest.raises(core.DeviceError, match=r"gpu:0, cpu:0.*to_device"):
        a + core.Tensor(b)
    with core.device_scope("gpu:1"):
        c = core.convert([1.0, 2.0])
    assert c.device == "gpu:1"
    with pytest.raises(core.DeviceError, match="gpu:1, gpu:0"):
        core.ops.multiply(c, core.Tensor(a.value.astype("float32")))
    assert (c * 2).device == "gpu:1"


def test_tensors_move_when_told_to(cupy):
    a = core.convert([1.0, 2.0])
    assert a.device == "gpu:0"
    b = core.to_device(a.value, "gpu:1")
    assert core.device_scope and core.Tensor(b).device == "gpu:1"
    np.testing.assert_array_equal(core.to_device(b, "cpu"), [1, 2])
    assert core.to_device(b, "gpu:1") is b


def test_what_a_tensor_gives_python(cupy):
    a = core.convert([[1.5, 2.0]])
    assert a.tolist() == [[1.5, 2.0]] and a.item(1) == 2.0 and float(a[0, 0]) == 1.5
    assert f"{a[0, 1]:.2f}" == "2.00" and 2.0 in a and bool(a[0, 0])
    assert repr(a).startswith("Tensor(") and str(a) == "[[1.5 2. ]]"
    assert type(np.asarray(a)) is np.ndarray
    np.testing.assert_array_equal(np.sum(a), 3.5)


def test_cupys_arrays_are_taken(cupy):
    x = cupy.asarray(np.array([1.0, 2.0]))
    y = core.convert(x, "float32")
    assert y.dtype == np.float32 and y.device == "gpu:0"
    x[0] = 5.0
    np.testing.assert_array_equal(y, [1, 2])


def test_compiled_functions(cupy):
    v = core.Variable(np.arange(3.0), name="v")
    assert v.read().device == "gpu:0"

    @core.function
    def step(x, i):
        y = core.ops.matmul(x * 2.0 + 1.0, core.ops.reshape(v, (3, 1)))
        v.assign(v + core.ops.sum(y) * 0.5)
        return core.fori_loop(0, 3, lambda _, s: s + y[0], y), core.ops.take(x, i, axis=0)

    x = np.arange(6.0).reshape(2, 3)
    found = step(x, np.array([1, 0]))
    assert [t.device for t in found] == ["gpu:0"] * 2
    y = (x * 2 + 1) @ np.arange(3.0)[:, None]
    np.testing.assert_allclose(found[0], y + 3 * y[0])
    np.testing.assert_array_equal(found[1], x[::-1])
    np.testing.assert_allclose(v, np.arange(3.0) + y.sum() / 2)
    step(x, np.array([1, 0]))
    assert v.read().device == "gpu:0"
    assert "reference executor" in step.explain("kernels")


def test_names_of_devices(cupy):
    with pytest.raises(core.DeviceError, match="2 GPUs"):
        core.device_scope("gpu:2").__enter__()
    with pytest.raises(core.DeviceError, match="one CPU"):
        core.device_scope("cpu:1").__enter__()
    with pytest.raises(core.DeviceError, match="expected 'cpu'"):
        core.device_scope("tpu").__enter__()


def test_the_default_device(monkeypatch):
    monkeypatch.setattr(device, "_has_gpu", lambda: True)
    for named, expected in (("", "gpu:0"), ("cpu", "cpu:0"), ("gpu:1", "gpu:1")):
        monkeypatch.setenv("KERASISH_DEVICE", named)
        device._default_device.cache_clear()
        with standin_cupy.installed():
            assert core.current_device() == expected
    monkeypatch.setattr(device, "_has_gpu", lambda: False)
    monkeypatch.delenv("KERASISH_DEVICE")
    device._default_device.cache_clear()
    assert core.current_device() == "cpu:0"
    monkeypatch.setenv("KERASISH_DEVICE", "gpu:one")
    device._default_device.cache_clear()
    with pytest.raises(config.EnvironmentVariableError, match="gpu:one"):
        core.current_device()
    device._default_device.cache_clear()
    device._checked.cache_clear()
