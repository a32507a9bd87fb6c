"""Loads damaged files and says how it ended. Run by `test_damaged_files.py`, or by hand:

    python tests/api/damaged_files.py keras 0 1000

Arguments: the format ("keras", "weights.h5" or "h5"), the first seed and the number of files. Each
seed makes one damaged file, always the same. Prints a line of JSON: how many loaded, how many ended
in a clear error, and the seeds of all others. The seed in progress is in `$PROGRESS`, if set.
"""

from __future__ import annotations

import collections
import gc
import io
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np

import kerasish
from kerasish import Input, Model, Sequential, layers, models, ops

CLEAR = (ValueError, TypeError, OSError)
SECONDS = 20
MEGABYTES = 3000


def sequential():
    model = Sequential(
        [Input((4,)), layers.Dense(3, activation="relu"), layers.BatchNormalization()]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    return model


def functional():
    x = Input((4, 3))
    y = layers.LSTM(2, return_sequences=True)(x)
    inner = Sequential([layers.Dense(2), layers.Dropout(0.1)])
    return Model(x, [ops.relu(inner(y)) * 2.0, layers.Conv1D(2, 2)(y)])


def originals(kind, folder):
    """The bytes of undamaged files, each with the function that loads it."""
    found = []
    for make in (sequential, functional):
        model = make()
        path = folder / f"{make.__name__}.{kind}"
        if kind == "weights.h5":
            model.save_weights(path)
            found.append((path.read_bytes(), lambda p, m=model: m.load_weights(p)))
        else:
            model.save(path)
            found.append((path.read_bytes(), models.load_model))
    return found


def damaged(data, rng, text=False):
    """The bytes with one to four kinds of damage."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(0, max(1, len(data))))
        size = int(rng.integers(1, 65))
        kind = rng.integers(0, 8)
        if kind == 0:
            for place in rng.integers(0, max(1, len(data)), size=int(rng.integers(1, 9))):
                data[place : place + 1] = bytes([int(rng.integers(0, 256))])
        elif kind == 1:
            del data[at : at + size]
        elif kind == 2:
            data[at:at] = rng.integers(0, 256, size=size, dtype="uint8").tobytes()
        elif kind == 3:
            data[at : at + size] = bytes([int(rng.choice([0, 255]))]) * size
        elif kind == 4:
            other = int(rng.integers(0, max(1, len(data))))
            data[at : at + size] = data[other : other + size]
        elif kind == 5:
            # Lengths and addresses are little-endian numbers.
            number = int(rng.choice([2**63 - 1, 2**40, 2**31, 2**16, 1, len(data)]))
            data[at - at % 8 : at - at % 8 + 8] = number.to_bytes(8, "little")
        elif kind == 6 and not text:
            del data[at:]
        else:
            digits = [i for i, b in enumerate(data[:20000]) if 48 <= b < 58]
            if digits:
                place = int(rng.choice(digits))
                data[place : place + 1] = str(rng.integers(0, 10**10)).encode()
    return bytes(data)


def repacked(data, rng):
    """An archive whose members are damaged inside, with checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    name = rng.choice(["config.json", "model.weights.h5"])
    members[name] = damaged(members[name], rng, text=name == "config.json")
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return result.getvalue()


def main(kind, first, count):
    # Memory that is really used: thread stacks and mappings of libraries do not count.
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20, MEGABYTES << 20))
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError("hangs")))
    outcomes = collections.Counter()
    failures = {}
    progress = os.environ.get("PROGRESS")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(scratch)
        files = originals(kind, folder)
        path = folder / f"damaged.{kind}"
        gc.freeze()  # what is loaded by now need not be searched after each file
        for seed in range(first, first + count):
            if progress:
                Path(progress).write_text(str(seed))
            rng = np.random.default_rng(seed)
            data, load = files[seed % len(files)]
            inside = kind == "keras" and seed % 4 != 0
            path.write_bytes(repacked(data, rng) if inside else damaged(data, rng))
            signal.alarm(SECONDS)
            try:
                load(path)
                outcomes["loaded"] += 1
            except TimeoutError:
                failures[seed] = "hangs"
            except CLEAR:
                outcomes["refused"] += 1
            except BaseException:
                failures[seed] = traceback.format_exc(limit=-3)
            finally:
                signal.alarm(0)
            kerasish.utils.clear_session()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**outcomes, "failures": failures, "peak": peak}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
