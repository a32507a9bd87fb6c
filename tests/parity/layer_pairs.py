"""One layer made by both packages, compared in everything that can be seen of it."""

import json
import warnings

import numpy as np

import kerasish
import kerasish_core as core
from kerasish import naming

TOLERANCE = 1e-5


def both():
    """The published Keras and ours, naming layers afresh."""
    import keras

    keras.utils.clear_session(free_memory=False)
    naming.reset_uids()
    return keras, kerasish


def plain(config):
    """A config as JSON writes it; Keras's inner modules are those of its public door."""
    return json.loads(json.dumps(config, default=str))


def equal(ours, theirs):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = theirs.keys() ^ ours.keys()
        differing = {k: (ours[k], theirs[k]) for k in ours if k in theirs and ours[k] != theirs[k]}
        assert not missing and not differing, (missing, differing)
    assert ours == theirs, f"{ours} is not {theirs}"


def leaves(y):
    return [np.asarray(v, "float64") for v in core.tree.flatten(y) if v is not None]


def close(ours, theirs, tolerance=TOLERANCE, what=""):
    ours, theirs = leaves(ours), leaves(theirs)
    assert len(ours) == len(theirs), what
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape, (what, a.shape, b.shape)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=what)


def variables(layer):
    return [
        (v.path, tuple(v.shape), core.dtypes.name_of(v.dtype), v.trainable) for v in layer.variables
    ]


def scramble(*layers, seed=0):
    """The same values in all of them."""
    rng = np.random.default_rng(seed)
    values = [rng.uniform(-0.5, 0.5, w.shape).astype("float32") for w in layers[0].get_weights()]
    for layer in layers:
        own = [w.dtype for w in layer.get_weights()]
        layer.set_weights([v.astype(d) for v, d in zip(values, own, strict=True)])


def gradients(ours, theirs, inputs, call):
    """Of the same scalar with respect to trainable weights and floating inputs, from both."""
    import jax

    rng = np.random.default_rng(1)
    flat = [np.asarray(x) for x in core.tree.flatten(inputs)]
    moving = [x for x in flat if x.dtype.kind == "f"]

    def put(values):
        rest = iter(values)
        leaves = [next(rest) if x.dtype.kind == "f" else x for x in flat]
        return core.tree.pack_sequence_as(inputs, leaves)

    probes = [rng.normal(size=y.shape).astype("float32") for y in leaves(ours(*inputs, **call))]

    def their_scalar(weights, values):
        state = [v.value for v in theirs.non_trainable_variables]
        y, _ = theirs.stateless_call(weights, state, *put(values), **call)
        return sum((a * b).sum() for a, b in zip(jax.tree.leaves(y), probes, strict=True))

    expected = jax.grad(their_scalar, (0, 1))(
        [v.value for v in theirs.trainable_variables], [jax.numpy.asarray(x) for x in moving]
    )
    xs = [core.constant(x) for x in moving]
    with core.GradientTape() as tape:
        tape.watch(xs)
        y = core.tree.flatten(ours(*put(xs), **call))
        total = sum(core.ops.sum(a * b) for a, b in zip(y, probes, strict=True))
    sources = [*ours.trainable_variables, *xs]
    found = [
        np.zeros(s.shape) if g is None else g
        for g, s in zip(tape.gradient(total, sources), sources, strict=True)
    ]
    return found, jax.tree.leaves(expected)


def compare(make, *inputs, tolerance=TOLERANCE, grads=True, shapes=True, dtype=None, **call):
    """Check weights, config, outputs, gradients and shapes of `make(keras)` on these inputs.

    Args:
        make: Package to layer.
        *inputs: Arrays: the positional arguments of the call.
        tolerance: Relative and absolute, of outputs; ten times that of gradients.
        grads, shapes: Whether to compare gradients and `compute_output_shape`.
        dtype: Of the outputs, if it must be a certain one.
        **call: Keyword arguments of the call.

    Returns:
        Both layers, built and with equal weights: theirs, ours.
    """
    theirs, ours = (make(k) for k in both())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own, under a newer NumPy
        theirs(*inputs, **call)
        ours(*inputs, **call)
        equal(variables(ours), variables(theirs))
        equal(plain(ours.get_config()), plain(theirs.get_config()))
        scramble(theirs, ours)
        expected, found = theirs(*inputs, **call), ours(*inputs, **call)
        close(found, expected, tolerance, "outputs")
        for a, b in zip(core.tree.flatten(found), core.tree.flatten(expected), strict=True):
            assert core.dtypes.name_of(a.dtype) == str(b.dtype)
            assert dtype is None or str(b.dtype) == dtype
        twins = (
            type(ours).from_config(theirs.get_config()),
            type(theirs).from_config(ours.get_config()),
        )
        for twin in twins:
            twin(*inputs, **call)
            twin.set_weights(theirs.get_weights())
            close(twin(*inputs, **call), expected, tolerance, "outputs of a copy")
        if shapes:
            sizes = core.tree.map_structure(lambda x: (None, *np.shape(x)[1:]), list(inputs))
            expected = theirs.compute_output_shape(*sizes)
            for layer in (ours, make(kerasish)):  # built and not
                equal(plain(layer.compute_output_shape(*sizes)), plain(expected))
        if grads:
            of_ours, of_theirs = gradients(ours, theirs, inputs, call)
            close(of_ours, of_theirs, 10 * tolerance, "gradients")
    return theirs, ours


def same_error(run):
    """Both refuse, with the same type of error; returns the messages, theirs first."""
    messages, kinds = [], []
    for k in both():
        try:
            run(k)
        except Exception as error:
            messages.append(str(error))
            kinds.append(type(error))
        else:
            raise AssertionError(f"{k.__name__} accepts it")
    assert kinds[0] is kinds[1] or issubclass(kinds[1], kinds[0]), kinds
    return messages


def files_both_ways(make_model, x, folder, tolerance=2e-5):
    """Weights and whole models written by either are read by the other."""
    for source, target in (both(), both()[::-1]):
        model, twin = make_model(source), make_model(target)
        scramble(model, seed=4)
        expected = model.predict(x, verbose=0)
        path = folder / f"{source.__name__}.weights.h5"
        model.save_weights(path)
        twin.load_weights(path)
        close(twin.predict(x, verbose=0), expected, tolerance, "weights file")
        path = folder / f"{source.__name__}.keras"
        model.save(path)
        loaded = target.models.load_model(path)
        close(loaded.predict(x, verbose=0), expected, tolerance, "model file")
