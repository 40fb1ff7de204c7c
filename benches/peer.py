#!/usr/bin/env python3
"""The noise loop in PyTorch and other runtimes, for comparison: the same network and the same work at γ = 0.

A trial draws an image of uniform noise, classifies it, and adds the noise to the sum of the class that
the network chose. Prints one JSON object per measurement, as `noisescope bench --json` does:

    python3 benches/peer.py eager --network cnn --batch 64 --batch 256 --trials 50000

    eager        torch.rand, forward, argmax, index_add_, in batches
    tuned        the same with channels innermost in memory (channels last)
    compiled     eager through torch.compile; on a CPU with frozen weights and max-autotune
    onnxruntime  the network exported to ONNX, the rest as in eager
    openvino     the same in OpenVINO
    published    the loop of the published notebooks: 100,000 noise images drawn at once on the
                 CPU, shown in batches of 10,000, summed class by class
    adam, fused  training instead: Adam on the cross-entropy, with shuffled images stored as bytes;
                 fused uses PyTorch's fused Adam

Networks are noisescope's kinds, and resnet18: the CIFAR variant, for 3×32×32 images, starting with a 3×3
convolution.
"""

import argparse
import functools
import io
import json
import os
import time
import warnings

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


class Contrast(nn.Module):
    """2x − 1."""

    def forward(self, x):
        return 2 * x - 1


class Rows(nn.Module):
    """Two LSTM layers over the rows of an image; returns the last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(SIDE, 128, 2, batch_first=True)

    def forward(self, x):
        return self.lstm(x[:, 0])[0][:, -1]


class Residual(nn.Module):
    """A residual block: two 3×3 convolutions and a shortcut."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after),
        )
        self.side = nn.Identity()
        if stride != 1 or before != after:
            self.side = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        return torch.relu(self.body(x) + self.side(x))


def resnet18():
    """ResNet-18 in its variant for 32×32 images."""
    blocks = [Residual(64, 64, 1), Residual(64, 64, 1)]
    for before, after in ((64, 128), (128, 256), (256, 512)):
        blocks += [Residual(before, after, 2), Residual(after, after, 1)]
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10),
    )


NETWORKS = {
    "cnn": cnn,
    "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 10)),
    "logistic": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
    "rnn": lambda: nn.Sequential(Rows(), nn.Linear(128, 10)),
    "simple": lambda: nn.Sequential(
        Contrast(), nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(4),
        nn.Flatten(), nn.Linear(3136, 128), nn.Linear(128, 10),
    ),
    "complex": lambda: nn.Sequential(
        Contrast(), nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.Conv2d(32, 64, 3, padding=1),
        nn.Conv2d(64, 64, 3, padding=1, groups=64), nn.MaxPool2d(4),
        nn.Flatten(), nn.Linear(3136, 128), nn.Linear(128, 10),
    ),
    "resnet18": resnet18,
}


def image(network):
    """Channels, rows and columns of a network's input."""
    return (3, 32, 32) if network == "resnet18" else (1, SIDE, SIDE)


def rows_innermost(batch, device, shape):
    """Uniform noise in PyTorch's default memory layout."""
    return torch.rand(batch, *shape, device=device)


def channels_innermost(batch, device, shape):
    """Uniform noise in the channels-last memory layout, which all layers then keep."""
    channels, height, width = shape
    return torch.rand(batch, height, width, channels, device=device).permute(0, 3, 1, 2)


def exported(network, shape, path=None):
    """The network exported to ONNX, for any batch size."""
    to = path or io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, torch.rand(2, *shape), to, dynamo=False, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        )
    return path or to.getvalue()


def by_onnxruntime(network, shape):
    """The network in onnxruntime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(exported(network, shape), providers=["CPUExecutionProvider"])
    return lambda noise: torch.from_numpy(session.run(None, {"x": noise.numpy()})[0])


def by_openvino(network, shape, batch):
    """The network in OpenVINO, compiled for the batch size."""
    import openvino

    core = openvino.Core()
    model = core.read_model(io.BytesIO(exported(network, shape)))
    model.reshape([batch, *shape])
    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": "1"}
    # By default it may compute in bfloat16; the work is float32.
    compiled = core.compile_model(model, "CPU", {**hints, "INFERENCE_PRECISION_HINT": "f32"})
    return lambda noise: torch.from_numpy(compiled(noise.numpy())[0])


def batches(network, device, batch, trials, draw, shape):
    """Sums of the noise by decision, all on the device."""
    sums = torch.zeros(CLASSES, shape[0] * shape[1] * shape[2], dtype=torch.float64, device=device)
    counts = torch.zeros(CLASSES, dtype=torch.int64, device=device)
    for _ in range(-(-trials // batch)):
        noise = draw(batch, device, shape)
        called = network(noise).argmax(1)
        part = torch.zeros(CLASSES, sums.shape[1], device=device)
        part.index_add_(0, called, noise.reshape(batch, -1))
        sums += part
        counts += torch.bincount(called, minlength=CLASSES)
    return sums.cpu(), counts.cpu()


def trained(network, device, batch, seconds, shape, fused):
    """Trains for some seconds; returns images per second and the number of images."""
    network.train()
    images = torch.randint(0, 256, (4096, *shape), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (len(images),))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-8, fused=fused)
    loss = nn.CrossEntropyLoss()

    def step(chosen):
        inputs = images[chosen].to(device).float().div_(255)
        optimizer.zero_grad(set_to_none=True)
        value = loss(network(inputs), labels[chosen].to(device))
        value.backward()
        optimizer.step()
        return value

    for _ in range(3):
        step(torch.arange(batch))
    began, seen = time.perf_counter(), 0
    while True:
        for chosen in torch.randperm(len(images)).split(batch):
            # Read the loss, as a real run must to detect divergence.
            step(chosen).item()
            seen += len(chosen)
            if time.perf_counter() - began > seconds:
                return seen / (time.perf_counter() - began), seen


def published(network, device, batch, trials, drawn=100_000):
    """The loop of the published notebooks."""
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
    hows = ["eager", "tuned", "compiled", "onnxruntime", "openvino", "published", "adam", "fused", "export"]
    parser.add_argument("how", choices=hows)
    parser.add_argument("--network", choices=list(NETWORKS), default="cnn")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    parser.add_argument("--batch", type=int, action="append", help="trials per batch (repeatable)")
    parser.add_argument("--trials", type=int, default=50_000)
    parser.add_argument("--to", help="output file for `export`")
    arguments = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    how, device, shape = arguments.how, torch.device(arguments.device), image(arguments.network)
    network = NETWORKS[arguments.network]().to(device).eval()
    if how == "export":
        exported(network, shape, arguments.to)
        return
    if how in ("adam", "fused"):
        for batch in arguments.batch or [64, 256]:
            rate, seen = trained(network, device, batch, 3, shape, how == "fused")
            line = {
                "peer": f"{how}, torch {torch.__version__}",
                "device": arguments.device,
                "network": arguments.network,
                "batch": batch,
                "images": seen,
                "images_per_second": round(rate),
            }
            print(json.dumps(line), flush=True)
        return
    draw = channels_innermost if how == "tuned" else rows_innermost
    loop, usual = functools.partial(batches, draw=draw, shape=shape), [16, 64, 128, 256, 512, 1024]
    if how == "tuned":
        network = network.to(memory_format=torch.channels_last)
    trials = arguments.trials
    if how == "published":
        loop, usual = published, [10_000]
        # This loop draws 100,000 at once, so fewer cannot be measured.
        trials = max(trials, 100_000)
    if how == "compiled":
        mode = {}
        if device.type == "cpu":
            import torch._inductor.config as inductor

            inductor.freezing = True
            mode = {"mode": "max-autotune"}
        # Compile a kernel for each batch size; by default the second size compiles one for any size.
        network = torch.compile(network, dynamic=False, **mode)
    if how == "onnxruntime":
        network = by_onnxruntime(network, shape)
    for batch in arguments.batch or usual:
        ready = by_openvino(network, shape, batch) if how == "openvino" else network
        with torch.inference_mode(how not in ("compiled",)), torch.no_grad():
            ready(torch.rand(batch, *shape, device=device))
            loop(ready, device, batch, batch)
            began = time.perf_counter()
            _, counts = loop(ready, device, batch, trials)
            seconds = time.perf_counter() - began
        done = int(sum(counts))
        line = {
            "peer": f"{how}, torch {torch.__version__}",
            "device": arguments.device,
            "network": arguments.network,
            "batch": batch,
            "trials": done,
            "trials_per_second": round(done / seconds),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
