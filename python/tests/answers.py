"""Stands in for a program with one session, `clothes`; the first argument is its folder."""

import shutil
import struct
import sys
from pathlib import Path

folder, arguments = Path(sys.argv[1]), sys.argv[2:]
with (folder / "calls").open("a") as calls:
    calls.write(" ".join(arguments) + "\n")


def option(name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else ""


command = arguments[0]
if command == "ls":
    print('[{"name": "clothes", "state": "finished", "silent_since": null, "done": 5, "total": 5,')
    print('"updated": "2026-01-01T00:00:00Z", "pid": null, "problem": null},')
    print('{"name": "shoes", "state": "failed", "silent_since": null, "done": 0, "total": 5,')
    print('"updated": null, "pid": null, "problem": "no images"}]')
    sys.exit()
if arguments[1] != "clothes":
    print(f"noisescope: there is no session `{arguments[1]}`.\nIt holds: clothes", file=sys.stderr)
    sys.exit(2)
out = Path(option("--out"))
form = option("--format")
if command == "trials":
    shutil.copy(folder / "trials.npz", out)
elif form == "npz":
    if (folder / "divided").exists():
        print("noisescope: clothes is divided: this is its sum so far", file=sys.stderr)
    print(f"wrote {out}", file=sys.stderr)
    shutil.copy(folder / "clothes.npz", out)
elif form == "json":
    print('{"name": "clothes", "status": "finished"}')
elif form == "csv":
    out.mkdir()
    (out / "README.txt").write_text("Written by noisescope export.\n")
    (out / "training.csv").write_text("epoch,loss,best\n1,0.5,false\n2,,true\n")
    (out / "attack.csv").write_text("pattern,target,weight\nrandom,0,0.5\nmean_image,1,0.5\n")
elif form == "safetensors":
    header = b'{"__metadata__":{"kind":"Cnn"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    out.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<2f", 1.5, -2.0))
elif form == "svg":
    out.mkdir()
    (out / "README.txt").write_text("Written by noisescope export.\n")
    for name in ["maps-gamma-0.0", "maps-gamma-0.2"]:
        if name.startswith(option("--figure")):
            (out / f"{name}.svg").write_text("<svg/>")
            (out / f"{name}.txt").write_text("Maps.\n\nAlternative text: Two rows.\n")
