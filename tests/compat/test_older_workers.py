"""`workers` and `use_multiprocessing` of Keras 1 and 2."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, models
from kerasish.compat import generation

pytestmark = pytest.mark.usefixtures("generation_1")


def test_workers_of_keras_2(tmp_path):
    """Each process leaves a file with the threads that made its batches."""

    class Rows(keras.utils.PyDataset):
        def __init__(self):
            """As scripts have it, without super().__init__()."""

        def __len__(self):
            return 20

        def __getitem__(self, index):
            with open(tmp_path / str(os.getpid()), "a") as file:
                file.write(f"{threading.get_ident()} ")
            time.sleep(0.002)
            return np.ones((4, 3)), np.ones((4, 1))

    def seen():
        found = {int(file.name): set(map(int, file.read_text().split()))
                 for file in tmp_path.iterdir()}  # fmt: skip
        for process in found:
            (tmp_path / str(process)).unlink()
        return found

    model = models.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    here, me = os.getpid(), threading.get_ident()
    for of in (1, 2, 3):
        generation.set_generation(of)
        for call in (model.fit, model.evaluate, model.fit_generator, model.predict_generator):
            call(Rows(), workers=3, max_queue_size=4, verbose=0)
            found = seen()
            assert set(found) == {here} and me not in found[here], (of, call)
        for call in (model.fit, model.evaluate_generator):
            call(Rows(), workers=3, use_multiprocessing=True, verbose=0)
            found = seen()
            assert here not in found and len(found) > 1, (of, call)
    for options in ({"workers": 1}, {"workers": 0, "use_multiprocessing": True}):
        model.fit(Rows(), verbose=0, **options)
        assert seen() == {here: {me}}, options
    model.fit_generator(Rows(), validation_data=Rows(), workers=2, use_multiprocessing=True)
    assert here not in seen()


def test_generators_under_use_multiprocessing():
    def batches():
        while True:
            assert threading.get_ident() == me
            yield np.ones((4, 3)), np.ones((4, 1))

    me = threading.get_ident()
    model = models.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    for call in (model.fit_generator, model.fit):
        with pytest.warns(UserWarning, match="give each batch several times") as said:
            call(batches(), steps_per_epoch=2, verbose=0, workers=2, use_multiprocessing=True)
        assert said[-1].filename == __file__
