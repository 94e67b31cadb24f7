#!/usr/bin/env python3
"""Trains the 2021 study's PyTorch network on LGG slices and writes it in every format that stent compiles.

    python train_torch.py --data kaggle_3m -o out --width 64 --steps 5000
    python train_torch.py --data kaggle_3m -o out --width 64 --steps 5000 --resume      goes on after an interruption

Four levels down from W channels, 8 W at the most, bilinear up-sampling (corners aligned), logits out. The same seed on the
same machine with as many threads gives the same weights, bit by bit. Packages: requirements-torch.txt.
"""
import importlib.util
import os
import sys
import warnings

# Threads that wait give their core away: else a machine that does something beside this takes several times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what a GPU needs to give the same bits again

import torch
from torch import nn
from torch.nn import functional as F

import lgg

CHECKPOINT = "checkpoint.pth"


# ---- the network; stent knows its state_dict by these names

class DoubleConv(nn.Module):
    """3x3 convolution, batch normalisation, ReLU, twice."""

    def __init__(self, ic, oc):
        super().__init__()
        layers = []
        for c in (ic, oc):
            layers += [nn.Conv2d(c, oc, 3, padding=1), nn.BatchNorm2d(oc), nn.ReLU(inplace=True)]
        self.double_conv = nn.Sequential(*layers)

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, ic, oc):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(ic, oc))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, ic, skip, oc):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = DoubleConv(ic + skip, oc)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], 1))


class Last(nn.Module):
    def __init__(self, ic):
        super().__init__()
        self.conv = nn.Conv2d(ic, 1, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        w = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        self.inc = DoubleConv(3, w[0])
        self.down1, self.down2, self.down3, self.down4 = (Down(a, b) for a, b in zip(w, w[1:]))
        self.up1, self.up2 = Up(w[4], w[3], w[2]), Up(w[2], w[2], w[1])
        self.up3, self.up4 = Up(w[1], w[1], w[0]), Up(w[0], w[0], w[0])
        self.outc = Last(w[0])

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return self.outc(self.up4(self.up3(self.up2(x, x3), x2), x1))


# ---- training

def loss_of(logits, truth):
    """Binary cross-entropy and 1 - Dice of the batch's pixels together."""
    p = torch.sigmoid(logits)
    dice = (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
    return F.binary_cross_entropy_with_logits(logits, truth) + 1 - dice


class Net:
    def __init__(self, args):
        torch.set_num_threads(args.threads)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(args.seed)
        if args.device == "cuda" and not torch.cuda.is_available():
            raise lgg.BadData("--device cuda: PyTorch sees no GPU here; leave it out to train on the CPU")
        self.args = args
        self.model = UNet(args.width).to(args.device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.model.parameters())

    def tensor(self, pictures):
        """n, 3, height, width; in memory channels stay last."""
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).to(self.args.device)

    def step(self, pictures, masks, rate):
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train()
        with torch.autocast(self.args.device, torch.bfloat16, enabled=self.args.bf16):
            logits = self.model(self.tensor(pictures))
        loss = loss_of(logits.float(), torch.from_numpy(masks)[:, None].to(self.args.device))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def probabilities(self, pictures):
        self.model.eval()
        with torch.inference_mode():
            return torch.sigmoid(self.model(self.tensor(pictures)))[:, 0].cpu().numpy()

    def weights(self):
        return [value.cpu().numpy() for value in self.model.state_dict().values()]

    def save(self, path, progress):
        torch.save({"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), "progress": progress}, path)

    def load(self, path):
        try:
            saved = torch.load(path, map_location=self.args.device, weights_only=True)
            progress = saved["progress"]
            if progress["settings"]["width"] == self.args.width:  # else lgg.py says what differs
                self.model.load_state_dict(saved["model"])
                self.optimiser.load_state_dict(saved["optimiser"])
        except Exception as error:  # whatever torch and pickle raise
            raise lgg.BadData(f"{path}: not a checkpoint of this script: {error}") from None
        return progress

    # ---- files

    def export(self, stem):
        """Weights alone, a program (torch.export), TorchScript, ONNX; for one picture of the size trained with."""
        model = self.model.eval().to("cpu", memory_format=torch.contiguous_format)
        x = torch.zeros(1, 3, self.args.size, self.args.size)
        writers = {".state_dict.pth": lambda file: torch.save(model.state_dict(), file),
                   ".pt2": lambda file: torch.export.save(torch.export.export(model, (x,)), file),
                   ".torchscript.pt": lambda file: torch.jit.save(torch.jit.trace(model, x), file)}
        if importlib.util.find_spec("onnx"):
            writers[".onnx"] = lambda file: torch.onnx.export(model, (x,), file, dynamo=False, opset_version=17,
                                                              input_names=["input"], output_names=["output"])
        else:
            print("no ONNX file: the package onnx is not there")
        lgg.write_pipeline(stem, self.args.size, "sigmoid")
        for ending, write in writers.items():
            with lgg.replacing(stem + ending) as part, open(part, "wb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of exporters about their own age
                write(file)
        return [stem + ending for ending in (*writers, ".pipeline.json")]


if __name__ == "__main__":
    sys.exit(lgg.main(__doc__, "torch", Net, CHECKPOINT))
