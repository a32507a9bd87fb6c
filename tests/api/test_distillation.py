"""Distillation: what a student learns, which layers are compared, what is refused."""

import numpy as np
import pytest

import kerasish
from kerasish import distillation, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 6)).astype("float32")
LABELS = RNG.integers(0, 3, 64)


def model_of(units, name):
    return kerasish.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(units, activation="tanh", name=f"{name}_hidden"),
            layers.Dense(3, name=f"{name}_logits"),
        ],
        name=name,
    )


def test_a_student_comes_close_to_its_teacher():
    kerasish.utils.set_random_seed(0)
    teacher, student = model_of(8, "teacher"), model_of(8, "student")
    both = distillation.Distiller(
        teacher, student, distillation.LogitsDistillation(2.0), student_loss_weight=0.0
    )
    loss = kerasish.losses.SparseCategoricalCrossentropy(from_logits=True)
    both.compile(kerasish.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    before = teacher.get_weights()
    history = both.fit(X, LABELS, epochs=40, verbose=0).history
    assert {"student_loss", "distillation_loss", "total_loss", "accuracy"} <= history.keys()
    assert history["distillation_loss"][-1] < 0.1 * history["distillation_loss"][0]
    for a, b in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(both.predict(X, verbose=0), student.predict(X, verbose=0))


def test_a_config_makes_it_again():
    both = distillation.Distiller(
        model_of(5, "teacher"), model_of(5, "student"),
        [distillation.LogitsDistillation(4.0),
         distillation.FeatureDistillation("mae", "teacher_hidden", "student_hidden")],
        [1.0, 0.5], 0.25,
    )  # fmt: skip
    again = distillation.Distiller.from_config(both.get_config())
    assert again.student_loss_weight == 0.25 and again.distillation_loss_weights == [1.0, 0.5]
    assert again.distillation_losses[0].temperature == 4.0
    assert again.distillation_losses[1].teacher_layer_name == "teacher_hidden"
    assert again.student.get_layer("student_hidden").units == 5


class Plain(kerasish.Model):
    def call(self, x):
        return x


REFUSED = {
    "weight of the student": dict(student_loss_weight=1.5),
    "must match number": dict(
        distillation_losses=[distillation.LogitsDistillation()], distillation_loss_weights=[1, 2]),
    "cannot be `None`": dict(distillation_losses=None),
    "Teacher must be": dict(teacher=3),
    "In teacher model": dict(distillation_losses=distillation.FeatureDistillation(
        "mse", "nothing", "student_hidden")),
    "appear to be subclassed": dict(student=Plain(), distillation_losses=(
        distillation.FeatureDistillation("mse", "teacher_hidden", "x"))),
    "shapes and dtypes must match": dict(student=kerasish.Sequential(
        [layers.Input((6,)), layers.Dense(2)])),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message):
    arguments = {
        "teacher": model_of(4, "teacher"), "student": model_of(4, "student"),
        "distillation_losses": distillation.LogitsDistillation(), **REFUSED[message],
    }  # fmt: skip
    match = "student_loss_weight" if message.startswith("weight") else message
    with pytest.raises(ValueError, match=match):
        distillation.Distiller(**arguments)


def test_losses_check_their_arguments():
    with pytest.raises(ValueError, match="non-`None`"):
        distillation.FeatureDistillation(None)
    with pytest.raises(ValueError, match="positive"):
        distillation.LogitsDistillation(0.0)
    with pytest.raises(NotImplementedError):
        distillation.DistillationLoss().compute_loss(X, X)
