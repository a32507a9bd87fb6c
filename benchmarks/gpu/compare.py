"""Side by side on one device, interleaved: LABEL=PYTHON:IMPLEMENTATION, the first under test.

    python benchmarks/gpu/compare.py ours=python:kerasish torch=python:torch jax=python:jax

Implementations: kerasish, torch, torch_compiled, jax. A workload runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

from sizes import SIZES, operations_of, sizes

SCRIPTS = {
    "kerasish": ["ours.py"], "torch": ["pytorch.py"], "torch_compiled": ["pytorch.py", "--compile"],
    "jax": ["jax_.py"],
}  # fmt: skip
HERE = Path(__file__).parent


def figures(
    python: str, implementation: str, workload: str, flags: list[str]
) -> dict[str, float]:  # fmt: skip
    script, *more = SCRIPTS[implementation]
    command = [python, str(HERE / script), "--only", workload, *more, *flags]
    path = os.pathsep.join(filter(None, (str(HERE.parents[1]), os.environ.get("PYTHONPATH"))))
    # JAX would take most of the memory at once, and its processes alternate with others.
    env = {**os.environ, "PYTHONPATH": path, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    if "--tf32" in flags:
        env["CUPY_TF32"] = "1"  # of the product that gives the floor
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        told = [f"exit {done.returncode}", *done.stderr.strip().splitlines()]
        return {"error": told[-1][:200]}  # type: ignore[dict-item]
    return json.loads(done.stdout.splitlines()[-1])[workload]  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="+")
    parser.add_argument("--only", default=",".join(SIZES))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--tf32", action="store_true", help="let all use TF32 for float32")
    parser.add_argument("--json")
    options = parser.parse_args()
    flags = ["--small"] * options.small + ["--tf32"] * options.tf32
    peers = [(p.split("=")[0], *p.split("=")[1].rsplit(":", 1)) for p in options.peers]
    table: dict[str, dict[str, dict[str, float]]] = {}
    for workload in options.only.split(","):
        row: dict[str, dict[str, float]] = {}
        for _ in range(options.rounds):
            for label, python, implementation in peers:
                found = figures(python, implementation, workload, flags)
                best = row.setdefault(label, found)
                if "step_ms" in found and found["step_ms"] < best.get("step_ms", float("inf")):
                    row[label] = found
        table[workload] = row
        first = row[peers[0][0]]
        cells = [
            f"{label} {found.get('step_ms', found.get('error'))}" for label, found in row.items()
        ]
        if "rate" in first:
            floor = operations_of(workload, sizes(workload, options.small)) / first["rate"] * 1e3
            first["floor_ms"] = floor
            cells.append(f"floor {floor:.3f}")
        print(f"{workload}: " + ", ".join(cells), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
