"""Wall time of A2C on CartPole to a mean return of 195: `examples/a2c_cartpole.py` on each backend.

    python benchmarks/a2c.py ours jax tensorflow --seeds 3

The same script runs on kerasish and, with its import changed to `keras`, on Keras with JAX and
with TensorFlow, each in a process of its own. Printed: seconds from start to target, environment
steps, and seconds for a thousand steps, as runs differ in how many steps they need.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "examples" / "a2c_cartpole.py"


def source(name):
    """The script for a backend."""
    text = SCRIPT.read_text()
    if name != "ours":
        text = text.replace("import kerasish as keras", "import keras")
        text = text.replace(
            "from kerasish import layers, ops, rl",
            "from keras import layers, ops\nfrom kerasish import rl",
        )
        text = re.sub(r"tqdm\(", "tqdm(disable=True, ", text)
    return text


def run(name, seed, python):
    """Seconds in all, what the script printed."""
    code = source(name).replace('main("a2c_cartpole.png")', f"main(seed={seed})")
    env = {**os.environ, "KERAS_BACKEND": name, "PYTHONPATH": f"{ROOT}{os.pathsep}{SCRIPT.parent}"}
    start = time.perf_counter()
    done = subprocess.run([python, "-c", code], env=env, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return seconds, done.stdout.strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="ours, jax, tensorflow, torch; or NAME=PYTHON")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    for entry in options.names:
        name, _, python = entry.partition("=")
        for seed in range(options.seeds):
            seconds, line = run(name, seed, python or sys.executable)
            steps = int(re.search(r"(\d+) steps", line).group(1))
            print(f"{name:12} seed {seed}: {seconds:6.1f} s, {1e3 * seconds / steps:6.2f} s for "
                  f"1000 steps; {line}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
