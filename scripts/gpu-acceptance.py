#!/usr/bin/env python3
"""The Python part of scripts/gpu-acceptance: the same noise loop in PyTorch, measurements on the card, and parsing of
the program's output. Every command prints its findings, which that script uses."""

import argparse
import csv
import json
import os
import queue
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from pathlib import Path

SIDE, CLASSES = 28, 10
# Goals: our rate over PyTorch's best; kernels, noise kernels, uploads and readbacks per launch; share of the bandwidth.
GOAL_RATIO, GOAL_KERNELS, GOAL_NOISE, GOAL_UPLOADS, GOAL_READBACKS, GOAL_SHARE = 1.5, 40, 3, 1, 0.1, 0.6
# Numbers per trial that the layers of `cnn` must write and the next layers read: noise, convolution, pooling,
# convolution, pooling, fully connected, logits. In-place operations are not counted.
ACTIVATIONS = [SIDE * SIDE, 20 * 24 * 24, 20 * 12 * 12, 50 * 8 * 8, 50 * 4 * 4, 500, CLASSES]
BYTES_A_TRIAL = 2 * 4 * sum(ACTIVATIONS)
# Additions and multiplications per trial.
OPERATIONS = 2 * (20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 800 * 500 + 500 * CLASSES)
# The names of noisescope's kernels that draw noise.
NOISE_KERNELS = re.compile(
    r"\b(draw_(uniform|binary|patch|gaussian|normals|gabor|pca)|pass_chunks|link_chunks|show)\b"
)


def print_result(verdict, words, **values):
    """Prints the result of a row."""
    print(json.dumps({"verdict": verdict, "words": words, **values}, ensure_ascii=False), flush=True)


def float32():
    """PyTorch, set to multiply in 32 bits like noisescope, and to benchmark its convolutions."""
    warnings.simplefilter("ignore")
    # NVIDIA's libraries obey this, whatever PyTorch allows.
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    import torch

    torch.set_float32_matmul_precision("highest")
    try:
        torch.backends.cudnn.allow_tf32 = False
    except (AttributeError, RuntimeError):
        # Its name in later versions.
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    return torch


def wait_for(torch, device):
    """Waits until the device has finished all its work."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def of_torch(device):
    """PyTorch's name for a noisescope device."""
    return device if device.startswith("cuda") else "cpu"


# The noise loop in PyTorch


def network(torch, innermost):
    """`cnn`, pooled before the ReLU like noisescope, which gives the same result with less work."""
    from torch import nn
    from torch.nn import functional

    class Cnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
            self.fc1, self.logits = nn.Linear(800, 500), nn.Linear(500, CLASSES)

        def forward(self, x):
            x = functional.relu(functional.max_pool2d(self.conv1(x), 2))
            x = functional.relu(functional.max_pool2d(self.conv2(x), 2))
            return self.logits(functional.relu(self.fc1(x.flatten(1))))

    made = Cnn().eval().requires_grad_(False)
    return made.to(memory_format=torch.channels_last) if innermost else made


def trial_of(torch, device, batch, indexed, innermost):
    """One batch of trials: sums of the noise by decision and by evidence, [20,784], and the number of decisions by class."""
    net = network(torch, innermost).to(device)
    numbers = torch.arange(CLASSES, device=device)

    def step():
        noise = torch.rand(batch, 1, SIDE, SIDE, device=device)
        logits = net(noise)
        evidence = logits - logits.mean(1, keepdim=True)
        called = logits.argmax(1)
        flat = noise.view(batch, SIDE * SIDE)
        chosen = (called[:, None] == numbers).to(noise.dtype)
        if indexed:
            decided = torch.zeros(CLASSES, SIDE * SIDE, device=device).index_add_(0, called, flat)
            sums = torch.cat([decided, evidence.t() @ flat])
        else:
            # One product for both.
            sums = torch.cat([chosen, evidence], 1).t() @ flat
        return sums, chosen.sum(0)

    return step


class Loop:
    """One way of running the loop, at any batch size."""

    def __init__(self, how, device, indexed, innermost):
        self.torch, self.how, self.device = float32(), how, of_torch(device)
        self.indexed, self.innermost = indexed, innermost
        self.made = {}
        self.sums = self.torch.zeros(2 * CLASSES, SIDE * SIDE, dtype=self.torch.float64, device=self.device)
        self.counts = self.torch.zeros(CLASSES, dtype=self.torch.float64, device=self.device)

    def add(self, step):
        sums, counts = step()
        self.sums.add_(sums)
        self.counts.add_(counts)

    def make(self, batch):
        """A function that computes a batch and adds it to the sums, all on the device."""
        torch = self.torch
        step = trial_of(torch, self.device, batch, self.indexed, self.innermost)
        if self.how == "eager":
            return lambda: self.add(step)
        if self.how == "graphs":
            aside = torch.cuda.Stream(self.device)
            aside.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(aside):
                for _ in range(3):
                    self.add(step)
            torch.cuda.current_stream(self.device).wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.add(step)
            return graph.replay
        compiled = torch.compile(step, mode=self.how, dynamic=False, fullgraph=True)

        def one():
            torch.compiler.cudagraph_mark_step_begin()
            self.add(compiled)

        return one

    def rate(self, batch, seconds):
        """Trials per second at a batch size, over this many seconds."""
        torch, device = self.torch, self.device
        with torch.inference_mode() if self.how in ("eager", "graphs") else torch.no_grad():
            if batch not in self.made:
                self.made[batch] = self.make(batch)
            one = self.made[batch]
            # The libraries choose their algorithms on the first ones.
            for _ in range(3):
                one()
            wait_for(torch, device)
            began = time.perf_counter()
            one()
            wait_for(torch, device)
            steps = max(3, int(seconds / max(time.perf_counter() - began, 1e-6)))
            began = time.perf_counter()
            for _ in range(steps):
                one()
            wait_for(torch, device)
            took = time.perf_counter() - began
        if not bool((self.counts.sum() > 0).cpu()):
            raise RuntimeError("nothing was counted")
        if device.startswith("cuda"):
            # The others need memory too.
            torch.cuda.empty_cache()
        return steps * batch / took


def peer(arguments):
    """Measures as requested on standard input, one JSON object per line: batch and seconds."""
    parent = os.getppid()

    def watch():
        # The parent may end while this process compiles.
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    loop = Loop(arguments.how, arguments.device, arguments.indexed, arguments.innermost)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"batch": request["batch"], "rate": loop.rate(request["batch"], request["seconds"])}
        except Exception as error:  # Whatever it is, the others continue.
            lines = [it for it in str(error).strip().splitlines() if it.strip()] or [type(error).__name__]
            answer = {"batch": request["batch"], "error": f"{type(error).__name__}: {lines[0][:200]}"}
            loop.made.pop(request["batch"], None)
            if loop.device.startswith("cuda"):
                loop.torch.cuda.empty_cache()
        print("answer " + json.dumps(answer), flush=True)


# Processes to kill if this one is terminated.
STARTED = []


class Peer:
    """A process that measures one way of running the loop."""

    def __init__(self, title, how, device, options=()):
        self.title, self.rates, self.errors = title, {}, {}
        command = [sys.executable, __file__, "peer", "--how", how, "--device", device, *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        STARTED.append(self.process)
        self.answers = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("answer "):
                self.answers.put(json.loads(line[7:]))
        self.answers.put(None)

    def ask(self, batch, seconds):
        self.pending = batch
        try:
            self.process.stdin.write(json.dumps({"batch": batch, "seconds": seconds}) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass

    def answer(self, patience):
        """The requested rate; `None` if it did not come, which is noted; a timeout also ends the process."""
        try:
            answer = self.answers.get(timeout=max(patience, 0.1))
        except queue.Empty:
            self.errors[self.pending] = f"not within {patience:.0f} s"
            self.end()
            return None
        if answer is None:
            self.errors.setdefault(self.pending, "its process ended")
            return None
        if "error" in answer:
            self.errors[answer["batch"]] = answer["error"]
            return None
        self.rates.setdefault(answer["batch"], []).append(answer["rate"])
        return answer["rate"]

    def rate(self, batch, seconds, patience=30):
        self.ask(batch, seconds)
        return self.answer(patience)

    def is_there(self):
        return self.process.poll() is None

    def end(self):
        if self.is_there():
            self.process.kill()
        self.process.wait()

    def best(self):
        """The batch size with the highest rate so far; `None` if there is none."""
        return max(self.rates, key=lambda batch: max(self.rates[batch]), default=None)


def ours(program, device, trials, launch, patience):
    """Trials per second of `noisescope bench`."""
    command = [program, "bench", "--device", device, "--network", "cnn", "--batch", "256", "--json"]
    command += ["--trials", str(trials)]
    if launch or not device.startswith("cuda"):
        command += ["--launch", str(launch or 16)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=max(patience, 1))
    if ran.returncode != 0:
        words = [it for it in ran.stderr.strip().splitlines() if it.strip()] or ["no message"]
        raise RuntimeError(f"noisescope bench: exit status {ran.returncode}: {words[-1][:300]}")
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    return float(lines[-1]["trials_per_second"])


def rates(arguments):
    """Compares our rate with PyTorch's, in turn on the same device."""
    device, until = arguments.device, time.monotonic() + arguments.seconds
    on_card = device.startswith("cuda")
    left = lambda: until - time.monotonic()
    sizes = [1 << it for it in range(10, 17)] if on_card else [256, 1024]
    moment, turn = (0.25, 1.0) if on_card else (0.5, 1.0)

    # PyTorch's fastest summation and memory layout, tried at one size and then used for all its ways.
    ways = {
        "sums by a product": [],
        "sums by index": ["--indexed"],
        "sums by a product, channels innermost": ["--innermost"],
        "sums by index, channels innermost": ["--indexed", "--innermost"],
    }
    # All are started at once, since starting is slow, and measured one by one.
    candidates = {name: Peer(name, "eager", device, options) for name, options in ways.items()}
    tried = {}
    for name, one in candidates.items():
        rate = one.rate(8192 if on_card else 256, moment, 60)
        one.end()
        if rate:
            tried[name] = rate
    if not tried:
        return print_result("failed", f"PyTorch does not compute: {next(iter(one.errors.values()), 'no message')}")
    chosen = max(tried, key=tried.get)
    options = ways[chosen]

    peers = [Peer("PyTorch, eager", "eager", device, options)]
    if on_card:
        peers.append(Peer("PyTorch, CUDA graphs", "graphs", device, options))
    for one in peers:
        for size in sizes:
            if one.is_there() and left() > 0.6 * arguments.seconds:
                one.rate(size, moment)

    # Compiling is slow: the most promising sizes first, both ways in parallel, while there is time.
    modes = ["reduce-overhead", "max-autotune-no-cudagraphs"]
    compiled = [Peer(f"PyTorch, compiled, {mode}", mode, device, options) for mode in modes]
    known = {size: max((max(one.rates.get(size, [0])) for one in peers), default=0) for size in sizes}
    promising = sorted(known, key=known.get, reverse=True)
    # Time reserved for the rounds.
    rounds_take = arguments.rounds * ((12 if on_card else 6) + 1.5 * turn * 4)
    threads = []

    def prepare(one):
        took = 0.0
        for size in promising:
            # One that is not finished in time would cost its process.
            if not one.is_there() or took and left() - rounds_take < 1.5 * took + 5:
                return
            began = time.monotonic()
            one.rate(size, moment, max(left() - rounds_take, 20))
            took = max(took, time.monotonic() - began)

    for one in compiled:
        threads.append(threading.Thread(target=prepare, args=[one], daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    peers += compiled

    # Ours: first find out how many trials take a moment.
    try:
        pilot = ours(arguments.program, device, 400_000 if on_card else 4_000, arguments.launch, left())
    except (RuntimeError, subprocess.TimeoutExpired, ValueError, IndexError, KeyError) as error:
        for one in peers:
            one.end()
        return print_result("failed", str(error)[:400])
    trials = int(pilot * (2.0 if on_card else 1.0)) + 1
    own, rounds, theirs, took = [], 0, {one.title: [] for one in peers}, 0.0
    ready = [one for one in peers if one.is_there() and one.best()]
    batches = {one.title: one.best() for one in ready}
    while rounds < arguments.rounds and left() > took + 2:
        began = time.monotonic()
        try:
            own.append(ours(arguments.program, device, trials, arguments.launch, left()))
        except (RuntimeError, subprocess.TimeoutExpired, ValueError, IndexError, KeyError) as error:
            if not own:
                return print_result("failed", str(error)[:400])
            break
        for one in ready:
            rate = one.rate(batches[one.title], turn, 20) if one.is_there() else None
            theirs[one.title].append(rate)
        rounds, took = rounds + 1, time.monotonic() - began
    for one in peers:
        one.end()
    if not rounds:
        return print_result("failed", "there was no time for a round")

    lines = []
    for one in peers:
        pairs = [(a, b) for a, b in zip(own, theirs[one.title]) if b]
        if not pairs:
            problem = next(iter(one.errors.values()), "no time")
            lines.append({"what": one.title, "problem": problem})
            continue
        lines.append(
            {
                "what": one.title,
                "batch": batches[one.title],
                "trials_per_second": round(statistics.median(b for _, b in pairs)),
                "ratio": round(statistics.median(a / b for a, b in pairs), 3),
                "tried": {str(size): round(max(all_)) for size, all_ in sorted(one.rates.items())},
                "untried": {str(size): words for size, words in one.errors.items()},
            }
        )
    measured = [line for line in lines if "ratio" in line]
    rate = statistics.median(own)
    shown = {"ours": round(rate), "rounds": rounds, "peers": lines, "sums": chosen}
    if not measured:
        return print_result("failed", f"ours {rate:,.0f} trials/s; PyTorch was not measured", **shown)
    best = max(measured, key=lambda line: line["trials_per_second"])
    words = (
        f"ours {rate:,.0f} trials/s, best of PyTorch {best['trials_per_second']:,} "
        f"({best['what'].removeprefix('PyTorch, ')}, batches of {best['batch']:,}): {best['ratio']:.2f}×"
    )
    missing = [line["what"].removeprefix("PyTorch, ") for line in lines if "problem" in line]
    if missing:
        words += f"; not measured: {'; '.join(missing)}"
    if not on_card:
        return print_result("ok", f"{words} (no goal on a processor)", ratio=best["ratio"], **shown)
    met = best["ratio"] >= GOAL_RATIO
    return print_result("ok" if met else "below", f"{words} (goal {GOAL_RATIO})", ratio=best["ratio"], goal=GOAL_RATIO, **shown)


def bandwidth(arguments):
    """The minimum share of the memory bandwidth that the network uses."""
    device = arguments.device
    on_card = device.startswith("cuda")
    rate = None
    if arguments.rates:
        try:
            rate = json.loads(Path(arguments.rates).read_text().splitlines()[-1]).get("ours")
        except (OSError, ValueError, IndexError):
            pass
    if not rate:
        rate = ours(arguments.program, device, 4_000_000 if on_card else 10_000, arguments.launch, 50)
    torch = float32()
    place = of_torch(device)
    numbers = 1 << (29 if on_card else 25)
    if on_card:
        # Half of the free memory for both.
        numbers = min(numbers, torch.cuda.mem_get_info(place)[0] // 16)
    source, target = torch.zeros(numbers, device=place), torch.empty(numbers, device=place)
    best = 0.0
    for _ in range(3):
        target.copy_(source)
        wait_for(torch, place)
        began = time.perf_counter()
        for _ in range(10):
            target.copy_(source)
        wait_for(torch, place)
        best = max(best, 10 * 2 * 4 * numbers / (time.perf_counter() - began))
    moved = rate * BYTES_A_TRIAL
    share = moved / best
    words = (
        f"{rate:,.0f} trials/s × {BYTES_A_TRIAL:,} bytes = {moved / 1e9:,.0f} GB/s of {best / 1e9:,.0f} GB/s that a copy "
        f"moves: {share:.3f}; {rate * OPERATIONS / 1e12:.1f} TFLOP/s"
    )
    shown = {"trials_per_second": round(rate), "bytes_a_trial": BYTES_A_TRIAL, "copy_bytes_per_second": round(best)}
    shown.update({"share": round(share, 4), "operations_a_trial": OPERATIONS})
    if not on_card:
        return print_result("ok", f"{words} (no goal on a processor)", **shown)
    return print_result("ok" if share >= GOAL_SHARE else "below", f"{words} (goal {GOAL_SHARE})", goal=GOAL_SHARE, **shown)


def fill(arguments):
    """Fills the card except for this many GB, and stays until it is killed."""
    import torch

    held, leave = [], arguments.leave * 1e9
    parent = os.getppid()
    torch.zeros(1, device=arguments.device)
    for size in (1 << 30, 1 << 27, 1 << 24):
        while torch.cuda.mem_get_info(arguments.device)[0] - leave > size:
            try:
                held.append(torch.empty(size, dtype=torch.uint8, device=arguments.device))
            except RuntimeError:
                break
    free, all_ = torch.cuda.mem_get_info(arguments.device)
    print(f"a card of {all_ / 1e9:.0f} GB filled, {free / 1e9:.1f} GB left", flush=True)
    while os.getppid() == parent:
        time.sleep(0.2)


def table_of(text, wanted):
    """The rows of a table in the CSV output of `nsys stats` or `ncu`: the one whose header has these columns."""
    rows, head = [], None
    for cells in csv.reader(text.splitlines()):
        if all(column in cells for column in wanted):
            head = cells
        elif head and len(cells) == len(head):
            rows.append(dict(zip(head, cells)))
        elif head and rows:
            break
    return rows


def find_tool(name):
    """An NVIDIA tool, on the path or in its installation folders."""
    found = shutil.which(name)
    places = ["/usr/local/cuda/bin", "/opt/nvidia/nsight-systems/*/bin", "/opt/nvidia/nsight-compute/*"]
    others = (it for place in places for it in sorted(Path("/").glob(f"{place[1:]}/{name}"), reverse=True))
    return found or next((str(it) for it in others if os.access(it, os.X_OK)), None)


def kernels(arguments):
    """Kernels, uploads and readbacks per launch: the difference between a longer and a shorter run."""
    nsys, ncu = find_tool("nsys"), find_tool("ncu")
    if not (nsys or ncu):
        return print_result("not run", "there is no profiler (nsys or ncu), so nothing is counted")
    work, launch = Path(arguments.work), arguments.launch
    sessions = work / "sessions"
    # The first launches are left out: a new run reads back more often.
    short, long_ = (200, 1000) if nsys else (4, 8)

    def run(name, launches):
        shutil.copy(sessions / "base.ron", sessions / f"{name}.ron")
        trials = 256 * launch * launches
        return [
            arguments.program, "extend", name, "--gamma", "0", "--trials", str(trials), "--plain",
            "--device", arguments.device, "--launch", str(launch),
        ]  # fmt: skip

    def last_line(ran):
        words = [it for it in (ran.stderr + "\n" + ran.stdout).strip().splitlines() if it.strip()]
        return words[-1][:300] if words else "no message"

    counted = {}
    for launches in (short, long_):
        name = f"profiled{launches}"
        if ncu and not nsys:
            command = [ncu, "--csv", "--metrics", "gpu__time_duration.sum", *run(name, launches)]
            ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            rows = table_of(ran.stdout, ["ID", "Kernel Name"])
            if not rows:
                return print_result("not run", f"{ncu} counts nothing: {last_line(ran)}")
            names = [row["Kernel Name"] for row in rows]
            counted[launches] = (len(names), sum(bool(NOISE_KERNELS.search(it)) for it in names), None, None)
            continue
        report = work / name
        base = [nsys, "profile", "--trace=cuda", "--sample=none", "--cpuctxsw=none", "--force-overwrite=true"]
        for more in (["--cuda-graph-trace=node"], []):
            command = [*base, *more, f"--output={report}", *run(name, launches)]
            ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if ran.returncode == 0 and Path(f"{report}.nsys-rep").exists():
                break
        else:
            return print_result("not run", f"{nsys} does not profile: {last_line(ran)}")
        tables = []
        for names, columns in (
            (("cuda_gpu_kern_sum", "gpukernsum"), ["Instances", "Name"]),
            (("cuda_gpu_mem_time_sum", "gpumemtimesum"), ["Count", "Operation"]),
        ):
            for name in names:
                command = [nsys, "stats", "--force-export=true", "--format", "csv", "--report", name, f"{report}.nsys-rep"]
                ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                rows = table_of(ran.stdout, columns)
                if rows:
                    break
            tables.append(rows)
        if not tables[0]:
            return print_result("not run", f"{nsys} reports no kernels: {last_line(ran)}")
        number = lambda text: int(text.replace(",", ""))
        copies = lambda way: sum(number(row["Count"]) for row in tables[1] if re.search(way, row["Operation"]))
        counted[launches] = (
            sum(number(row["Instances"]) for row in tables[0]),
            sum(number(row["Instances"]) for row in tables[0] if NOISE_KERNELS.search(row["Name"])),
            copies(r"(?i)host-to-device|HtoD"),
            copies(r"(?i)device-to-host|DtoH"),
        )
    each = [
        None if a is None else (b - a) / (long_ - short) for a, b in zip(counted[short], counted[long_])
    ]
    names = ["kernels", "of noise", "uploads", "readbacks"]
    goals = [GOAL_KERNELS, GOAL_NOISE, GOAL_UPLOADS, GOAL_READBACKS]
    parts = [
        f"{name} {'not reported by ncu' if it is None else format(it, '.3g')} (goal {goal})"
        for name, it, goal in zip(names, each, goals)
    ]
    # Copies made by checkpoints are counted too: one hundredth of a copy per launch is tolerated.
    met = all(it is None or it <= goal + 0.01 for it, goal in zip(each, goals))
    shown = dict(zip(["kernels", "noise_kernels", "uploads", "readbacks"], each))
    words = f"per launch of {launch} blocks: {', '.join(parts)}"
    return print_result("ok" if met else "below", words, launch=launch, **shown)


# Parsing the program's output


def about(arguments):
    """The torch, and the card if it has one."""
    torch = float32()
    version = torch.__version__
    shown = {"version": version.split("+")[0], "cuda": torch.version.cuda, "card": "", "device": arguments.device}
    if arguments.device.startswith("cuda"):
        if not torch.cuda.is_available():
            sys.exit("this torch sees no card; check nvidia-smi, or give --device libtorch")
        torch.zeros(1, device=arguments.device).add_(1).cpu()
        card = torch.cuda.get_device_properties(arguments.device)
        shown["card"] = card.name
        print_result("ok", f"{card.name}, {card.total_memory / 1e9:.0f} GB; PyTorch {version}, CUDA {torch.version.cuda}", **shown)
    else:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        print_result("ok", f"a processor, {cores} cores; PyTorch {version}", **shown)


def of(arguments):
    """Prints a value of the last JSON object in a file."""
    lines = [line for line in Path(arguments.file).read_text().splitlines() if line.startswith("{")]
    print(json.loads(lines[-1]).get(arguments.key, "") if lines else "")


def stands(arguments):
    """Prints state, trials done and trials planned of a session, from `noisescope ls --json`."""
    for row in json.loads(Path(arguments.file).read_text()):
        if row["name"] == arguments.name:
            print(row["state"], row["done"], row["total"])


def devices(arguments):
    """Prints the devices in a session's record, except the first, which is that of its training."""
    text = Path(arguments.file).read_bytes()[:100_000].decode("utf-8", "replace")
    found = re.search(r"devices:\s*\[(.*?)\]", text, re.DOTALL)
    names = re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(1)) if found else []
    print("; ".join(names[1:] if len(names) > 2 else names))


def checks(arguments):
    """Prints the results of `noisescope verify --json`; exits with 1 if a check failed, 2 if there are none."""
    found = []
    for line in Path(arguments.file).read_text().splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
    wrong = [it for it in found if not it["ok"]]
    words = f"{len(found) - len(wrong)} of {len(found)} checks"
    if wrong:
        words += ": " + "; ".join(f"{it['check']}: {it['words']}" for it in wrong)
    print(words)
    Path(arguments.file + ".values").write_text(json.dumps({"checks": found}, ensure_ascii=False))
    sys.exit(2 if not found else 1 if wrong else 0)


def pace(arguments):
    """Prints how long a run took, from its JSON output; exits with 1 if trials are missing."""
    events = [json.loads(line) for line in Path(arguments.file).read_text().splitlines() if line.startswith("{")]
    trained = [it["t"] for it in events if it["event"] == "result" and it["stage"] == "training"]
    results = [it for it in events if it["event"] == "result" and it["stage"] == "classification_images"]
    seconds = arguments.ended - arguments.began
    if not results or results[-1]["trials"] != arguments.trials:
        done = results[-1]["trials"] if results else 0
        sys.exit(print(f"{done:,} of {arguments.trials:,} trials were measured") or 1)
    stage = max(results[-1]["t"] - (trained[-1] if trained else 0), 1e-9)
    rate = arguments.trials / stage
    print(f"{arguments.trials:,} trials: {stage:.2f} s, {rate:,.0f} trials/s; with start and training {seconds:.1f} s")
    values = {"trials": arguments.trials, "stage_seconds": round(stage, 3), "trials_per_second": round(rate)}
    values["all_seconds"] = round(seconds, 2)
    Path(arguments.file + ".values").write_text(json.dumps(values))


def differ(arguments):
    """Prints the arrays that differ between two exports, except the one that names the session and its starts."""
    one, two = (zipfile.ZipFile(path) for path in (arguments.one, arguments.two))
    names = sorted({*one.namelist(), *two.namelist()} - {"meta.npy"})
    there = lambda archive, name: archive.read(name) if name in archive.namelist() else None
    other = [name.removesuffix(".npy") for name in names if there(one, name) != there(two, name)]
    more = f" and {len(other) - 4} more" if len(other) > 4 else ""
    print(f"{len(other)} of {len(names)} arrays: {', '.join(other[:4])}{more}" if other else "no array")


def line(arguments):
    """Prints a row as a JSON object."""
    try:
        values = json.loads(arguments.values or "{}")
    except ValueError:
        values = {}
    values = {key: value for key, value in values.items() if key not in ("verdict", "words")}
    row = {"row": arguments.row, "verdict": arguments.verdict, "seconds": arguments.seconds, "words": arguments.words}
    print(json.dumps({**row, **values}, ensure_ascii=False))


def table(arguments):
    """Prints all rows as a table."""
    machine = json.loads(Path(arguments.about).read_text().splitlines()[-1])
    rows = [json.loads(it) for it in Path(arguments.file).read_text().splitlines()]
    shown = {"ok": "ok", "failed": "FAILED", "below": "BELOW", "not run": "not run"}
    clean = lambda text: text.replace("|", "/").replace("\n", " ")
    cells = [["row", "", "s", "findings"]]
    for row in rows:
        cells.append([row["row"], shown.get(row["verdict"], row["verdict"]), str(row["seconds"]), clean(row["words"])])
        for one in row.get("peers", []):
            found = one.get("problem") or f"{one['trials_per_second']:,} trials/s, batches of {one['batch']:,}; ours is {one['ratio']:.2f}×"
            cells.append(["", "", "", clean(f"{one['what']}: {found}")])
    widths = [max(len(row[at]) for row in cells) for at in range(3)]
    print(f"\n{machine['words']}; on {machine['device']}\n")
    for number, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0])) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|---|")
    sys.stdout.flush()


def terminated(*_):
    for process in STARTED:
        if process.poll() is None:
            process.kill()
    os._exit(143)


def main():
    signal.signal(signal.SIGTERM, terminated)
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(function, *positional, **options):
        one = commands.add_parser(function.__name__, description=function.__doc__)
        one.set_defaults(function=function)
        for name, kind in positional:
            one.add_argument(name, type=kind)
        for name, how in options.items():
            one.add_argument(f"--{name}", **how)

    device, number = {"device": {"default": "cuda:0"}}, {"type": int}
    program = {"program": {"required": True}, "launch": number}
    flags = {"indexed": {"action": "store_true"}, "innermost": {"action": "store_true"}}
    command(peer, **device, how={"required": True}, **flags)
    command(rates, **device, **program, seconds={"type": float, "default": 180.0}, rounds={"type": int, "default": 3})
    command(bandwidth, **device, **program, rates={})
    command(kernels, **device, **program, work={"required": True})
    command(fill, **device, leave={"type": float, "default": 1.5})
    command(about, **device)
    command(of, ("file", str), ("key", str))
    command(stands, ("file", str), ("name", str))
    command(devices, ("file", str))
    command(checks, ("file", str))
    command(pace, ("file", str), ("trials", int), ("began", float), ("ended", float))
    command(differ, ("one", str), ("two", str))
    command(line, ("row", str), ("verdict", str), ("seconds", int), ("words", str), ("values", str))
    command(table, ("about", str), ("file", str))
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
