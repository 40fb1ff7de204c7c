#!/usr/bin/env python3
"""The noise loop in PyTorch: the same network (`cnn`) and the same job at γ = 0.

A trial is an image of uniform noise, what the network calls it, and the noise added to the sum of
that class. Prints one JSON object a measurement, as `noisescope bench --json` does:

    python3 benches/peer_pytorch.py eager --batch 64 --batch 256 --trials 50000

    eager      torch.rand, forward, argmax, index_add_, in batches
    tuned      the same with the channels of an image innermost in memory, as noisescope has them
    compiled   eager through torch.compile
    published  the loop of the published notebooks: 100,000 noise images drawn at once on the
               processor, shown in batches of 10,000, summed class by class
"""

import argparse
import functools
import json
import time

import torch
from torch import nn

SIDE = 28
CLASSES = 10


def cnn():
    """conv 1→20 5×5, ReLU, maxpool 2, conv 20→50 5×5, ReLU, maxpool 2, fc 800→500, ReLU, fc 500→10."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )


def rows_innermost(batch, device):
    """Uniform noise as PyTorch lays out images."""
    return torch.rand(batch, 1, SIDE, SIDE, device=device)


def channels_innermost(batch, device):
    """Uniform noise that PyTorch takes for images whose channels are innermost; so stay all layers."""
    return torch.rand(batch, SIDE, SIDE, 1, device=device).permute(0, 3, 1, 2)


def batches(network, device, batch, trials, draw=rows_innermost):
    """Sums of the noise by decision, all on the device."""
    sums = torch.zeros(CLASSES, SIDE * SIDE, dtype=torch.float64, device=device)
    counts = torch.zeros(CLASSES, dtype=torch.int64, device=device)
    for _ in range(-(-trials // batch)):
        noise = draw(batch, device)
        called = network(noise).argmax(1)
        part = torch.zeros(CLASSES, SIDE * SIDE, device=device)
        part.index_add_(0, called, noise.reshape(batch, -1))
        sums += part
        counts += torch.bincount(called, minlength=CLASSES)
    return sums.cpu(), counts.cpu()


def published(network, device, batch, trials, drawn=100_000):
    """The loop of the notebooks."""
    sums = torch.zeros(CLASSES, SIDE * SIDE)
    counts = [0] * CLASSES
    for _ in range(-(-trials // drawn)):
        noise = torch.rand(drawn, 1, SIDE, SIDE)
        for start in range(0, drawn, batch):
            shown = noise[start : start + batch]
            called = network(shown.to(device)).argmax(1).cpu()
            for k in range(CLASSES):
                own = shown[called == k]
                sums[k] += own.view(-1, SIDE * SIDE).sum(0)
                counts[k] += len(own)
    return sums, counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("how", choices=["eager", "tuned", "compiled", "published"])
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    parser.add_argument("--batch", type=int, action="append", help="trials a batch (repeatable)")
    parser.add_argument("--trials", type=int, default=50_000)
    arguments = parser.parse_args()

    torch.manual_seed(1)
    device = torch.device(arguments.device)
    network = cnn().to(device).eval()
    if arguments.how == "compiled":
        # A kernel for each batch size: by default the second size makes one for any size.
        network = torch.compile(network, dynamic=False)
    loop, usual = batches, [64, 128, 256, 512, 1024]
    if arguments.how == "tuned":
        network = network.to(memory_format=torch.channels_last)
        loop = functools.partial(batches, draw=channels_innermost)
    trials = arguments.trials
    if arguments.how == "published":
        loop, usual = published, [10_000]
        # It draws this many at once, so fewer cannot be measured.
        trials = max(trials, 100_000)
    for batch in arguments.batch or usual:
        with torch.inference_mode():
            network(torch.rand(batch, 1, SIDE, SIDE, device=device))
            loop(network, device, batch, batch)
            began = time.perf_counter()
            _, counts = loop(network, device, batch, trials)
            seconds = time.perf_counter() - began
        done = int(sum(counts))
        line = {
            "peer": f"pytorch {torch.__version__} {arguments.how}",
            "device": arguments.device,
            "network": "cnn",
            "batch": batch,
            "trials": done,
            "trials_per_second": round(done / seconds),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
