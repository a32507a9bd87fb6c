"""How much memory it takes to save and load: in a process of its own, by its peak."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os, sys, threading, time
import numpy as np
from kerasish import Input, Sequential, layers

megabytes, path = int(sys.argv[1]), sys.argv[2]
units = (megabytes << 20) // 4 // 8 // 1024
sizes = [units, 1024] * 4
model = Sequential([Input((1024,)), *(
    layers.Dense(n, use_bias=False, kernel_initializer="zeros") for n in sizes)])
for v in model.weights:
    v.assign(np.ones(v.shape, "float32"))

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def extra(call):
    before, top, going = resident(), 0, True
    def watch():
        nonlocal top
        while going:
            top = max(top, resident())
            time.sleep(0.002)
    thread = threading.Thread(target=watch)
    thread.start()
    call()
    going = False
    thread.join()
    return (top - before) / (megabytes << 20)

weights = ".weights." in path
save = extra(lambda: model.save_weights(path) if weights else model.save(path))
print(json.dumps([save, extra(lambda: model.load_weights(path))]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux for the memory")
@pytest.mark.parametrize("name", ["x.weights.h5", "x.keras", "x.h5"])
def test_extra_memory_is_at_most_the_size_and_a_fifth(name, tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, "256", str(tmp_path / name)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-3000:]
    save, load = json.loads(found.stdout)
    assert save <= 1.2 and load <= 1.2, (save, load)
