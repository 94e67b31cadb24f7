#!/usr/bin/env python3
"""Opens a report in headless Chromium and uses it as a reader does: slider, switches, keys, sorting, colours, paper.

    make check-frameworks
    test/report/browser.py --keep /tmp/pictures     # screenshots to look at: light, dark, narrow, print

Without a Chromium on this machine the whole is skipped, and says so. Nothing is loaded from anywhere; the test fails where
the page tries to.
"""
import argparse
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile
import traceback
import zlib

import chromium

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOSTILE = "</script><img src=x onerror=\"window.hacked=1\"><svg onload='window.hacked=1'>"
SIDE = 96


class Failure(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


# ---- results to draw

def png(pixel):
    """A grey PNG of SIDE x SIDE, pixel(x, y) in 0..255."""
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(SIDE)) for y in range(SIDE))
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return "data:image/png;base64," + base64.b64encode(data).decode()


def box(x, y, width, height):
    return f"M{x} {y}h{width}v{height}h{-width}z"


def head_of(verb):
    return {"verb": verb, "stent": "0.1.0", "model": "unet.onnx", "content_hash": "ab" * 32, "precision": "fp32",
            "machine": {"isa": "avx2", "threads": 2, "cpu": "A processor"}}


def slices():
    found = []
    for patient in range(4):
        for number, rank in enumerate(("worst", "median", "best")):
            shade = 60 + 30 * patient
            found.append({
                "case": f"patient {patient}/slice {number}", "patient": f"patient {patient}", "rank": rank,
                "dice": 0.1 + 0.2 * patient + 0.1 * number, "hd95_px": 9.5 - number, "ms": 12.5, "width": SIDE, "height": SIDE,
                "picture": png(lambda x, y: shade if (x - 48) ** 2 + (y - 48) ** 2 < 40 ** 2 else 0),
                "truth": box(30, 30, 24, 20), "mask": box(34 + number, 32, 24, 20)})
    return found


def evaluation():
    patients = [{"patient": f"patient {i}", "cases": 3, "dice_pooled": 0.2 * (i + 1), "iou_pooled": 0.15 * (i + 1), "hd95_px": 10.0 - i,
                 "sensitivity": 0.8, "specificity": 0.99, "truth_px": 480, "mask_px": 480, "ms_median": 12.5 + i} for i in range(4)]
    return {**head_of("eval"), "cases": 12, "patients": 4, "dataset": HOSTILE, "layout": "folders", "dice_pooled": 0.694, "dice_mean": 0.68,
            "dice_patient_mean": 0.69, "iou": 0.6, "hd95_px": 8.0, "sensitivity": 0.8, "specificity": 0.99,
            "intervals": {"dice_pooled": [0.55, 0.81], "dice_patient_mean": [0.52, 0.8]}, "bootstrap": {"resamples": 2000, "seed": 0},
            "conventions": [{"key": "dice_pooled", "name": "pooled Dice", "equals": "scikit-learn f1_score", "empty": "1", "text": "of all pixels"}],
            "ms": {"min": 11.9, "median": 12.5, "p90": 13, "mean": 12.6, "std": 0.3}, "times": [12 + (i * 37 % 100) / 90 for i in range(300)],
            "per_patient": patients, "faults": [{"file": HOSTILE, "fault": "size", "message": HOSTILE}], "faulty": 1,
            "assumed": ["A mask pixel above 0 is tumour.", HOSTILE], "slices": slices(), "slices_left_out": 88,
            "compare": {"with": "other.onnx", "changed_px": 0, "pixels": 12 * SIDE * SIDE, "cases_changed": 0, "dice_pooled_other": 0.694,
                        "dice_difference": 0, "worst": []}}


def bench():
    return {**head_of("bench"), "ms": [10 + (i * 37 % 100) / 100 for i in range(80)] + [19], "versus_ms": [31 + (i * 61 % 100) / 50 for i in range(80)],
            "median_ms": 10.5, "min_ms": 10, "p90_ms": 10.9, "p99_ms": 12, "cv": 0.1, "versus": "before.stent", "versus_median_ms": 32,
            "ratio_median": 0.325, "ratio_low": 0.32, "ratio_high": 0.33, "rounds": 40}


def profile():
    layers = [{"name": f"/down{i}/double_conv/double_conv.{i}/Relu_output_0", "op": "Conv + Relu", "shape": "1x64x128x128", "solver": "conv_winograd",
               "configuration": "F(4,3) chunk 128", "ms": 1 + i * 0.3, "gflops": 90 + i, "part_of_limit": 0.3 + 0.03 * i,
               "why": "bound by arithmetic; weights (2.4 MB) do not stay in the L2 (1.0 MB)", "fallback": i == 3} for i in range(20)]
    return {**head_of("profile"), "layers": layers, "sum_ms": sum(layer["ms"] for layer in layers), "whole_ms": 80, "flop": 15.6e9}


def make_page(stent, folder):
    names = []
    for name, result in (("eval", evaluation()), ("bench", bench()), ("profile", profile())):
        names.append(os.path.join(folder, name + ".json"))
        with open(names[-1], "w", encoding="utf-8") as file:
            json.dump(result, file)
    page = os.path.join(folder, "report.html")
    subprocess.run([stent, "report", *names, "-o", page, "-q"], check=True, stdout=subprocess.DEVNULL)
    return page


# ---- what a reader does

VISIBLE = "Array.from(document.querySelectorAll('.slice')).filter(s => getComputedStyle(s).display !== 'none')"


def case_shown(page):
    shown = page.do(VISIBLE + ".map(s => s.querySelector('figcaption b').textContent)")
    check(len(shown) == 1, f"expected one slice on the screen, got {shown}")
    return shown[0]


def is_seen(page, selector):
    return page.do(f"getComputedStyle(document.querySelector('.slice.now {selector}')).display !== 'none'")


def focus_stage(page):
    page.do("document.querySelector('.slices').focus()")


def test_opens(page):
    check(page.do("document.title") == "Masks unchanged; 3.1 times as fast; Dice 0.694", f"title: {page.do('document.title')}")
    check(page.do("window.hacked") is None, "a name from a file ran as script")
    check(page.do("document.querySelectorAll('main img').length") == page.do("document.querySelectorAll('.thumbs img').length"),
          "a name from a file became a picture")
    widths = page.do("""Promise.all(Array.from(document.querySelectorAll('.slice image')).map(async (image) => {
        const picture = new Image(); picture.src = image.getAttribute('href'); await picture.decode(); return picture.naturalWidth; }))""")
    check(widths == [SIDE] * 12, f"the browser does not read the pictures: {widths}")


def test_slider(page):
    check(case_shown(page) == "patient 0/slice 0", "the worst slice of the worst patient comes first")
    page.do("(s => { s.value = 2; s.dispatchEvent(new Event('input', {bubbles: true})); })(document.querySelector('[data-slider]'))")
    check(case_shown(page) == "patient 0/slice 2", "the slider did not move the slice")
    page.do("(s => { s.value = '3'; s.dispatchEvent(new Event('change', {bubbles: true})); })(document.querySelector('[data-patient-choice]'))")
    check(case_shown(page) == "patient 3/slice 0", "the choice of a patient did not show its worst slice")
    page.do("document.querySelectorAll('.thumbs button')[1].click()")
    check(case_shown(page) == "patient 3/slice 1", "the small picture did not show its slice")
    check(page.do("document.querySelector('[data-slider]').getAttribute('aria-valuetext')").startswith("patient 3"), "the slider tells no slice")


def test_keys(page):
    focus_stage(page)
    for key, expected in (("ArrowRight", "patient 0/slice 1"), ("ArrowDown", "patient 1/slice 0"), ("ArrowLeft", "patient 0/slice 2"),
                          ("ArrowUp", "patient 0/slice 2")):
        page.key(key)
        check(case_shown(page) == expected, f"{key}: expected {expected}, got {case_shown(page)}")


def test_outlines(page):
    focus_stage(page)
    for key, selector in (("t", ".truth.line"), ("m", ".mask.line")):
        check(is_seen(page, selector), f"{selector} is not shown at first")
        page.key(key)
        check(not is_seen(page, selector), f"key {key} did not hide {selector}")
        page.do(f"document.querySelector('[data-switch={selector[1:].split('.')[0]}]').click()")
        check(is_seen(page, selector), f"the switch did not show {selector} again")
    dashes = page.do("['truth', 'mask'].map(k => getComputedStyle(document.querySelector(`.slice.now .${k}.line`)).strokeDasharray)")
    check(dashes[0] == "none" and dashes[1] != "none", f"the outlines differ in colour alone: {dashes}")
    page.key("d")
    check(page.do("document.querySelectorAll('.slice.now .difference path[clip-path]').length") == 2, "no difference shown")
    page.key("d")
    check(page.do("document.querySelector('.difference') === null"), "the difference did not go")


def test_sorting(page):
    column = "Array.from(document.querySelectorAll('table.sortable')).find(t => t.tHead.textContent.startsWith('patient'))"
    names = f"Array.from({column}.tBodies[0].rows).map(r => r.cells[0].textContent)"
    button = f"{column}.tHead.rows[0].cells[2].querySelector('button')"
    upward = [f"patient {i}" for i in range(4)]
    check(page.do(names) == upward, "patients do not begin with the lowest Dice")
    page.do(button + ".click()")
    check(page.do(names) == upward[::-1] and page.do(f"{button}.parentElement.getAttribute('aria-sort')") == "descending", "not sorted downward")
    page.do(button + ".click()")
    check(page.do(names) == upward and page.do(f"{button}.parentElement.getAttribute('aria-sort')") == "ascending", "not sorted upward")


def test_long_table(page):
    rows = "Array.from(document.querySelectorAll('.more[data-shown=\"12\"] tbody tr')).filter(r => getComputedStyle(r).display !== 'none').length"
    check(page.do(rows) == 12, "a long table is not cut")
    page.do("document.querySelector('.more[data-shown=\"12\"] > button').click()")
    check(page.do(rows) == 20, "the button does not show all")


def brightness(page):
    """Of the ground, 0 to 1."""
    red, green, blue = (int(part) for part in page.do("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")[:3])
    return (red + green + blue) / 765


def test_colours(page):
    check(brightness(page) > 0.9, "light is not light")
    choose = "document.querySelector('.theme input[value={}]').click()"
    page.do(choose.format("dark"))
    check(brightness(page) < 0.2, "the switch to dark does nothing")
    page.media("", "dark")
    page.do(choose.format("light"))
    check(brightness(page) > 0.9, "light does not hold on a dark system")
    page.do(choose.format("auto"))
    check(brightness(page) < 0.2, "the page does not follow a dark system")


CONTRAST = """(() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; }
    return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility || !e.checkVisibility()) continue;
    if (e.closest('svg, script, style')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${e.tagName}.${e.className}: ${ratio.toFixed(2)} "${e.textContent.slice(0, 30)}"`);
  }
  return low;
})()"""


def test_contrast(page):
    for scheme in ("light", "dark"):
        page.media("", scheme)
        low = page.do(CONTRAST)
        check(not low, f"{scheme}: text with less than 4.5 of contrast: {low[:5]}")


def test_narrow(page):
    page.size(400)
    width = page.do("document.documentElement.scrollWidth")
    check(width <= 400, f"at 400 px the page is {width} px wide")


def test_names_for_screen_readers(page):
    nameless = page.do("""Array.from(document.querySelectorAll('input, select, button, svg[role=img], section, [role=region], [role=group]')).filter((e) =>
        !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !(e.labels && e.labels.length) && !e.textContent.trim()).map((e) => e.outerHTML.slice(0, 90))""")
    check(not nameless, f"without a name: {nameless[:3]}")
    twice = page.do("(ids => ids.filter((id, i) => ids.indexOf(id) !== i))(Array.from(document.querySelectorAll('[id]')).map(e => e.id))")
    check(not twice, f"ids that come twice: {twice[:5]}")


def test_print(page):
    page.media("print", "dark")
    check(brightness(page) > 0.9, "paper is not white")
    hidden = page.do("['nav', '.theme', '.controls'].filter(s => getComputedStyle(document.querySelector(s)).display !== 'none')")
    check(not hidden, f"controls on paper: {hidden}")
    check(len(page.do(VISIBLE + ".map(s => 1)")) == 12, "not all slices stand on paper")
    page.media("", "light")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.pdf")
        page.pdf(path)
        with open(path, "rb") as file:
            check(file.read(5) == b"%PDF-", "no PDF")


TESTS = [test_opens, test_slider, test_keys, test_outlines, test_sorting, test_long_table, test_colours, test_contrast, test_narrow,
         test_names_for_screen_readers, test_print]


def test_quiet(browser):
    """No error on the console; nothing was asked for but the file itself and what lies in it."""
    told = [event for event in browser.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
    check(not told, f"on the console: {json.dumps(told[:1])[:300]}")
    asked = {event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"}
    foreign = [url[:80] for url in asked if not url.startswith(("file:///", "data:"))]
    files = [url for url in asked if url.startswith("file:")]
    check(not foreign and len(files) == 1, f"asked for: {foreign or files}")


def take_pictures(browser, page, folder):
    os.makedirs(folder, exist_ok=True)
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 400, "light")):
        browser.size(width), browser.media("", scheme), browser.open(page)
        browser.size(width, browser.do("document.documentElement.scrollHeight"))
        browser.picture(os.path.join(folder, name + ".png"), False)
    browser.pdf(os.path.join(folder, "print.pdf"))


def run(test, browser, page):
    try:
        browser.size(1280), browser.media("", "light"), browser.open(page)
        test(browser)
        test_quiet(browser)
    except Failure as failure:
        return str(failure)
    except Exception:
        return traceback.format_exc(limit=-2)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stent", default=os.path.join(ROOT, "build", "stent"))
    parser.add_argument("--page", help="only take pictures of this report (with --keep)")
    parser.add_argument("--keep", help="folder for screenshots")
    args = parser.parse_args()
    program = chromium.find()
    if not program:
        print("report in a browser: skipped, there is no Chromium on this machine (apt-get install chromium)")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="stent-report-") as folder, chromium.Chromium(program) as browser:
        page = args.page or make_page(args.stent, folder)
        for test in [] if args.page else TESTS:
            fault = run(test, browser, page)
            failed += fault is not None
            print(f"{'FAIL' if fault else 'ok  '} report/{test.__name__[5:]}{': ' + fault if fault else ''}", flush=True)
        if args.keep:
            take_pictures(browser, page, args.keep)
    if not args.page:
        print(f"report in a browser: {len(TESTS) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
