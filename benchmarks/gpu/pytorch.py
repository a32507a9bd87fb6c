"""The workloads in PyTorch, by hand: eager, or compiled with --compile."""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from sizes import SIZES, Sizes, data_of, measure, sizes
from torch import nn
from torch.nn import functional as F

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def mlp(s: Sizes) -> nn.Module:
    return nn.Sequential(
        nn.Linear(784, s.width), nn.ReLU(), nn.Linear(s.width, s.width), nn.ReLU(),
        nn.Linear(s.width, s.classes),
    )  # fmt: skip


def convnet(s: Sizes) -> nn.Module:
    def pair(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(),
                nn.Conv2d(after, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]  # fmt: skip

    return nn.Sequential(
        *pair(3, 32), *pair(32, 64), nn.Flatten(), nn.Linear(64 * (s.image // 4) ** 2, s.classes)
    )


class Bottleneck(nn.Module):
    def __init__(self, before: int, filters: int, stride: int) -> None:
        super().__init__()
        after = 4 * filters
        self.body = nn.Sequential(
            nn.Conv2d(before, filters, 1, stride), nn.BatchNorm2d(filters), nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(),
            nn.Conv2d(filters, after, 1), nn.BatchNorm2d(after),
        )  # fmt: skip
        self.short: nn.Module = nn.Identity()
        if before != after or stride > 1:
            self.short = nn.Sequential(nn.Conv2d(before, after, 1, stride), nn.BatchNorm2d(after))

    def forward(self, x: Any) -> Any:
        return F.relu(self.body(x) + self.short(x))


def resnet50(s: Sizes) -> nn.Module:
    blocks: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
    ]
    before = 64
    for stage, count in enumerate((3, 4, 6, 3)):
        filters = 64 << stage
        for i in range(count):
            blocks.append(Bottleneck(before, filters, 2 if stage and i == 0 else 1))
            before = 4 * filters
    return nn.Sequential(
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, s.classes)
    )


class Recurrent(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.words = nn.Embedding(s.words, 128)
        self.lstm = nn.LSTM(128, s.width, batch_first=True)
        self.head = nn.Linear(s.width, s.classes)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(self.words(x))[0][:, -1])


def lstm(s: Sizes) -> nn.Module:
    return Recurrent(s)


class Block(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(s.width), nn.LayerNorm(s.width)
        self.qkv, self.out = nn.Linear(s.width, 3 * s.width), nn.Linear(s.width, s.width)
        self.up, self.down = nn.Linear(s.width, 4 * s.width), nn.Linear(4 * s.width, s.width)
        self.heads = s.heads

    def forward(self, x: Any) -> Any:
        n, t, d = x.shape
        parts = self.qkv(self.first(x)).view(n, t, 3, self.heads, d // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.second(x))))


class Transformer(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.words = nn.Embedding(s.words, s.width)
        self.blocks = nn.Sequential(*(Block(s) for _ in range(s.layers)))
        self.norm, self.head = nn.LayerNorm(s.width), nn.Linear(s.width, s.classes)

    def forward(self, x: Any) -> Any:
        return self.head(self.norm(self.blocks(self.words(x))).mean(1))


def transformer(s: Sizes) -> nn.Module:
    return Transformer(s)


def run(name: str, small: bool, compiled: bool) -> dict[str, float]:
    s = sizes(name, small)
    x, y = data_of(name, s)
    data = torch.from_numpy(x).to(DEVICE)
    if s.image:
        data = data.permute(0, 3, 1, 2)  # channels last in memory
    labels = torch.from_numpy(y).long().to(DEVICE)
    model = globals()[name](s).to(DEVICE)
    if s.image:
        model = model.to(memory_format=torch.channels_last)
    if name == "resnet50":
        optimizer: Any = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    else:
        optimizer = torch.optim.Adam(model.parameters(), fused=DEVICE == "cuda")

    def forward() -> Any:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=s.half):
            return F.cross_entropy(model(data).float(), labels)

    forward = torch.compile(forward) if compiled else forward

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()

    wait = torch.cuda.synchronize if DEVICE == "cuda" else lambda: None
    return {"step_ms": measure(step, wait, 0.2 if small else 2.0)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SIZES))
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--tf32", action="store_true")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = options.tf32
    torch.backends.cudnn.allow_tf32 = options.tf32
    torch.backends.cudnn.benchmark = True  # XLA tries algorithms too
    for workload in options.only.split(","):
        found = run(workload, options.small, options.compile)
        print(json.dumps({workload: found}), flush=True)
