"""Compares figures in three formats. Arguments: the browser, and the folders of SVG, PDF and PNG files."""

import pathlib
import re
import subprocess
import sys
import tempfile
import xml.dom.minidom

import numpy as np
from PIL import Image, ImageFilter

# Dots per inch at which they are compared: twice Chromium's.
DPI = 192
# Largest mean difference of a picture, in 255ths, after smoothing the edges of letters. Chromium uses other fonts.
MOST = {"pdf": 1.5, "svg": 3.0}


def smooth(image, size):
    image = image.convert("RGB").resize(size, Image.LANCZOS).filter(ImageFilter.GaussianBlur(6))
    return np.asarray(image, dtype=float)


def words(svg):
    return [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg) if text.strip()]


def main(browser, svgs, pdfs, pngs):
    svgs, pdfs, pngs = map(pathlib.Path, (svgs, pdfs, pngs))
    names = sorted(path.stem for path in svgs.glob("*.svg"))
    faults, worst = [], {"pdf": 0.0, "svg": 0.0}
    if not names:
        faults.append(f"{svgs}: there is no figure")
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            text = (svgs / f"{name}.svg").read_text()
            root = xml.dom.minidom.parseString(text).documentElement
            for part in ("title", "desc"):
                elements = root.getElementsByTagName(part)
                if not elements or not elements[0].firstChild:
                    faults.append(f"{name}.svg has no <{part}>")
            if not words(text):
                faults.append(f"{name}.svg has no text")
            width, height = (float(root.getAttribute(side).removesuffix("mm")) for side in ("width", "height"))
            png = Image.open(pngs / f"{name}.png")
            png.load()
            dpi = png.info.get("dpi", (0, 0))[0]
            if abs(dpi - 300) > 1:
                faults.append(f"{name}.png has {dpi} dots per inch")
            if abs(png.width - width / 25.4 * 300) > 1.5 or abs(png.height - height / 25.4 * 300) > 1.5:
                faults.append(f"{name}.png is {png.size}, but the SVG is {width}×{height} mm")
            if not (pngs / f"{name}.txt").read_text().strip():
                faults.append(f"{name}.txt is empty")

            pdf = pdfs / f"{name}.pdf"
            checked = subprocess.run(["qpdf", "--check", pdf], capture_output=True, text=True)
            if checked.returncode:
                faults.append(f"{name}.pdf: {checked.stdout}{checked.stderr}")
            fonts = subprocess.run(["pdffonts", pdf], capture_output=True, text=True).stdout.splitlines()[2:]
            outside = [line for line in fonts if " yes " not in line]
            if not fonts or outside:
                faults.append(f"{name}.pdf: fonts that are not embedded: {outside or 'no fonts'}")
            text_of_pdf = subprocess.run(["pdftotext", "-raw", pdf, "-"], capture_output=True, text=True).stdout
            squeezed = re.sub(r"\s", "", text_of_pdf)
            lost = [word for word in words(text) if re.sub(r"\s", "", unescaped(word)) not in squeezed]
            # Some versions return upward text letter by letter.
            if len(lost) > len(words(text)) / 3:
                faults.append(f"{name}.pdf: words that are not found in it: {lost[:5]}")
            subprocess.run(["pdftocairo", "-r", str(DPI), "-png", "-singlefile", pdf, place / "pdf"], check=True)
            pixels = (round(width / 25.4 * 96), round(height / 25.4 * 96))
            subprocess.run(
                [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--force-device-scale-factor=2", f"--window-size={pixels[0]},{pixels[1]}",
                 f"--screenshot={place / 'svg.png'}", (svgs / f"{name}.svg").resolve().as_uri()],
                check=True, capture_output=True, timeout=120,
            )
            size = (pixels[0] * 2, pixels[1] * 2)
            expected = smooth(png, size)
            for kind in ("pdf", "svg"):
                drawn = Image.open(place / f"{kind}.png").convert("RGB")
                if kind == "svg":
                    drawn = drawn.crop((0, 0, *size))
                difference = float(np.abs(smooth(drawn, size) - expected).mean())
                worst[kind] = max(worst[kind], difference)
                if difference > MOST[kind]:
                    faults.append(f"{name}: the {kind} differs from the PNG by {difference:.2f} of 255")
    print(f"{len(names)} figures; largest mean difference from the PNG: PDF {worst['pdf']:.2f}, SVG {worst['svg']:.2f} of 255")
    for fault in faults:
        print(f"FAULT {fault}")
    sys.exit(bool(faults))


def unescaped(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")


main(*sys.argv[1:])
