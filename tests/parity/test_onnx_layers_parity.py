"""Every public layer goes into ONNX files with a free batch, in each of the configurations of
`layers_table/`."""

import numpy as np
import onnxruntime
import pytest
from layers_table.entries import TABLE
from test_every_layer_files_parity import FAMILIES, saved_cases, scramble

import kerasish as keras
import kerasish_core as core

pytestmark = pytest.mark.parity
assert FAMILIES  # which fill the table


@pytest.mark.parametrize("name", [n for n in sorted(TABLE) if saved_cases(n)])
def test_layers(name, tmp_path):
    for case in saved_cases(name):
        layer, xs, path = case.make(keras), case.tensors(), tmp_path / "model.onnx"
        fixed = getattr(layer, "stateful", False)
        inputs = [
            keras.Input(batch_shape=x.shape if fixed else (None, *x.shape[1:]), dtype=x.dtype.name)
            for x in xs
        ]
        args, kwargs = case.arguments(inputs)
        kwargs.pop("training", None)
        outputs = core.tree.flatten(layer(*args, **kwargs))
        model = keras.Model(inputs, [y for y in outputs if y is not None])
        scramble(model)
        model.export(path, format="onnx")
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(
            None, {i.name: x for i, x in zip(session.get_inputs(), xs, strict=True)}
        )
        expected = core.tree.flatten(model([core.convert(x) for x in xs], training=False))
        for a, b in zip(found, map(np.asarray, expected), strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype, case.id
            scale = max(1.0, np.abs(b).max(initial=0))
            np.testing.assert_allclose(a, b, 1e-4, 1e-4 * scale, err_msg=case.id)
