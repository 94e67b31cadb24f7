#!/usr/bin/env python3
"""Train the demo's small U-Net on phantoms and write it as ONNX.

    python3 train.py                  trains, writes phantom-unet.onnx and expected.json  (about 10 minutes on 2 cores)
    python3 train.py --evaluate       only judges the ONNX file that lies here, writes expected.json

Needs numpy, torch, onnx, onnxruntime. The volume in volume/ (seed DEMO) is never trained on.
"""
import argparse
import json
import multiprocessing
import os
import time

import numpy as np

import phantom

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = 9001                            # seed of the volume in volume/
TRAIN = range(1, 73)                   # seeds of the volumes to learn from
HELD_OUT = range(8001, 8013)           # seeds of the volumes to judge by
SLICES = 16
WIDTHS = (8, 16, 32, 64, 64)           # channels, full size to 1/16


# ---- data --------------------------------------------------------------------------------------------
def make(seeds, cache):
    """Volumes of these seeds, one after the other; kept in a file between runs where a cache is named."""
    path = cache and f"{cache}-{seeds[0]}-{seeds[-1]}.npz"
    if path and os.path.exists(path):
        kept = np.load(path)
        return kept["x"], kept["y"]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        made = pool.map(phantom.volume, seeds, chunksize=1)
    x, y = np.concatenate([m[0] for m in made]), np.concatenate([m[1] for m in made])
    if path:
        np.savez(path, x=x, y=y)
    return x, y


# ---- network -----------------------------------------------------------------------------------------
def build(torch):
    nn = torch.nn

    def double(cin, cout):
        """3x3 convolution, batch normalisation, ReLU, twice."""
        return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(),
                             nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU())

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            w = WIDTHS
            self.down = nn.ModuleList(double(a, b) for a, b in zip((3,) + w, w))
            self.up = nn.ModuleList(double(w[i] + w[i + 1] if i == len(w) - 2 else w[i] + w[i], w[i - 1] if i else w[0])
                                    for i in reversed(range(len(w) - 1)))
            self.last = nn.Conv2d(w[0], 1, 1)

        def forward(self, x):
            skips = []
            for i, block in enumerate(self.down):
                x = block(x if i == 0 else nn.functional.max_pool2d(x, 2))
                skips.append(x)
            for i, block in enumerate(self.up):
                x = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
                x = block(torch.cat([skips[-2 - i], x], 1))
            return self.last(x)

    return UNet()


def train(steps, cache):
    import torch
    torch.manual_seed(1)
    torch.set_num_threads(2)
    rng = np.random.default_rng(1)
    x, y = make(TRAIN, cache)
    ill, well = np.flatnonzero(y.any((1, 2))), np.flatnonzero(~y.any((1, 2)))
    print(f"{len(x)} slices, {len(ill)} with tumour", flush=True)
    net = build(torch).to(memory_format=torch.channels_last)
    best = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-3)
    pace = torch.optim.lr_scheduler.OneCycleLR(best, 4e-3, total_steps=steps, pct_start=0.15)
    start = time.time()
    for step in range(steps):
        pick = np.concatenate([rng.choice(ill, 5, replace=False), rng.choice(well, 3, replace=False)])
        a = x[pick].astype(np.float32) / 255 * rng.uniform(0.85, 1.15, (8, 1, 1, 3)).astype(np.float32)
        b = (y[pick] > 0).astype(np.float32)
        if rng.random() < 0.5:
            a, b = a[:, :, ::-1], b[:, :, ::-1]
        a = torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2))).to(memory_format=torch.channels_last)
        b = torch.from_numpy(np.ascontiguousarray(b))[:, None]
        logit = net(a)
        p = torch.sigmoid(logit)
        dice = 1 - (2 * (p * b).sum() + 1) / (p.sum() + b.sum() + 1)
        loss = dice + torch.nn.functional.binary_cross_entropy_with_logits(logit, b)
        best.zero_grad()
        loss.backward()
        best.step()
        pace.step()
        if step % 50 == 49:
            print(f"step {step + 1}/{steps}  loss {loss.item():.4f}  {time.time() - start:.0f} s", flush=True)
    return net.eval()


# ---- ONNX, node by node, as plain as it gets ---------------------------------------------------------
def export(net, path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    nodes, weights = [], []

    def weight(name, tensor):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(tensor.detach().numpy()), name))
        return name

    def add(op, inputs, name, **attributes):
        nodes.append(helper.make_node(op, inputs, [name + "_out"], name=name, **attributes))
        return name + "_out"

    def double(block, value, name):
        for n, (conv, norm) in enumerate(((block[0], block[1]), (block[3], block[4])), 1):
            value = add("Conv", [value, weight(f"{name}.conv{n}.weight", conv.weight)], f"{name}.conv{n}",
                        kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
            value = add("BatchNormalization", [value, weight(f"{name}.bn{n}.scale", norm.weight), weight(f"{name}.bn{n}.bias", norm.bias),
                        weight(f"{name}.bn{n}.mean", norm.running_mean), weight(f"{name}.bn{n}.var", norm.running_var)],
                        f"{name}.bn{n}", epsilon=norm.eps)
            value = add("Relu", [value], f"{name}.relu{n}")
        return value

    weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
    value, skips = "image", []
    for i, block in enumerate(net.down, 1):
        if i > 1:
            value = add("MaxPool", [value], f"pool{i - 1}", kernel_shape=[2, 2], strides=[2, 2])
        value = double(block, value, f"down{i}")
        skips.append(value)
    for i, block in enumerate(net.up):
        level = len(net.up) - i
        value = add("Resize", [value, "", "twice"], f"resize{level}", mode="linear", coordinate_transformation_mode="half_pixel")
        value = add("Concat", [skips[level - 1], value], f"concat{level}", axis=1)
        value = double(block, value, f"up{level}")
    nodes.append(helper.make_node("Conv", [value, weight("last.weight", net.last.weight), weight("last.bias", net.last.bias)],
                                  ["logit"], name="last", kernel_shape=[1, 1]))
    shape = lambda c: [1, c, phantom.SIZE, phantom.SIZE]
    graph = helper.make_graph(nodes, "phantom-unet", [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape(3))],
                              [helper.make_tensor_value_info("logit", TensorProto.FLOAT, shape(1))], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="examples/phantom/train.py", ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    print(f"{os.path.basename(path)}: {os.path.getsize(path)} bytes, {len(nodes)} nodes")


# ---- judge -------------------------------------------------------------------------------------------
def judge(session, x, y):
    """Counts and Dice of every slice; pooled over all pixels, and the mean over slices (both empty = 1)."""
    rows = []
    for picture, truth in zip(x, y):
        image = np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255))
        mask, truth = session.run(None, {"image": image})[0][0, 0] > 0, truth > 0          # logit > 0: probability > 0.5
        both, m, t = int((mask & truth).sum()), int(mask.sum()), int(truth.sum())
        rows.append({"intersection": both, "mask_px": m, "truth_px": t, "dice": 2 * both / (m + t) if m + t else 1.0})
    total = {k: sum(r[k] for r in rows) for k in ("intersection", "mask_px", "truth_px")}
    return {"slices": len(rows), "dice_pooled": 2 * total["intersection"] / max(total["mask_px"] + total["truth_px"], 1),
            "dice_mean": sum(r["dice"] for r in rows) / len(rows), **total}, rows


def evaluate(path, cache):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    held, _ = judge(session, *make(HELD_OUT, cache))
    demo, rows = judge(session, *phantom.volume(DEMO, SLICES, True))
    result = {"model": os.path.basename(path), "engine": "onnxruntime " + onnxruntime.__version__,
              "threshold_on": "sigmoid(logit) > 0.5", "input": "uint8 RGB / 255, NCHW",
              "held_out": {"seeds": [HELD_OUT[0], HELD_OUT[-1]], **held},
              "volume": {"seed": DEMO, **demo, "by_slice": {f"phantom_{i}.tif": r for i, r in enumerate(rows, 1)}}}
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    print(f"held out: Dice pooled {held['dice_pooled']:.4f}, mean {held['dice_mean']:.4f};"
          f" volume/: pooled {demo['dice_pooled']:.4f}, mean {demo['dice_mean']:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--evaluate", action="store_true", help="do not train")
    parser.add_argument("--cache", help="start of the path of files that keep the made slices between runs")
    args = parser.parse_args()
    path = os.path.join(HERE, "phantom-unet.onnx")
    if not args.evaluate:
        export(train(args.steps, args.cache), path)
    evaluate(path, args.cache)


if __name__ == "__main__":
    main()
