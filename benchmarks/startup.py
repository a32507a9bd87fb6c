"""Import time beyond NumPy's, in fresh processes, the least of several.

python benchmarks/startup.py
"""

import os
import subprocess
import sys
import time


def seconds(code):
    """Least wall time of a fresh interpreter running the code."""
    # Bytecode is cached, as in an installed package.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    found = []
    for _ in range(15):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=env)
        found.append(time.perf_counter() - start)
    return min(found)


def main():
    numpy = seconds("import numpy")
    ours = seconds("import numpy, kerasish")
    layers = seconds("import numpy, kerasish; kerasish.Sequential, kerasish.layers.Dense")
    print(f"import numpy              {numpy * 1e3:7.1f} ms")
    print(f"import kerasish           {(ours - numpy) * 1e3:+7.1f} ms beyond NumPy")
    print(f"  and models and layers   {(layers - numpy) * 1e3:+7.1f} ms beyond NumPy")


if __name__ == "__main__":
    main()
