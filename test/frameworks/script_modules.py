"""Small modules that use much of TorchScript's language (script_nets.py lists them)."""
import enum
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import nn


def block(ic, oc, dims=2):
    conv, norm = (nn.Conv2d, nn.BatchNorm2d) if dims == 2 else (nn.Conv3d, nn.BatchNorm3d)
    return nn.Sequential(conv(ic, oc, 3, padding=1, bias=False), norm(oc), nn.ReLU(inplace=True))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = block(3, 4)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.head(self.body(x))


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = block(3, 4), block(4, 8), block(12, 4)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = self.a(x)
        u = self.up(self.b(self.pool(a)))
        dy, dx = a.size(2) - u.size(2), a.size(3) - u.size(3)
        u = F.pad(u, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.head(self.c(torch.cat([a, u], dim=1)))


class Unet3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = block(1, 4, 3), block(4, 8, 3), block(8, 4, 3)
        self.down = nn.Conv3d(4, 4, 2, stride=2)
        self.up = nn.ConvTranspose3d(8, 4, 2, stride=2)

    def forward(self, x):
        a = self.a(x)
        return self.c(torch.cat((self.up(self.b(self.down(a))), a), 1))


class Lists(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.stages = nn.ModuleList([block(4, 4) for _ in range(3)])
        self.ends = nn.ModuleDict({"act": nn.ReLU(), "gate": nn.Sigmoid()})

    def forward(self, x):
        features: List[torch.Tensor] = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        y = torch.zeros_like(x)
        for i in range(len(features)):
            y = y + features[i] * float(i + 1)
        for _, end in self.ends.items():
            y = end(y)
        return torch.cat([f for f in features] + [y], 1)


class Mode(enum.Enum):
    SUM = "sum"
    MEAN = "mean"


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.mode = Mode.MEAN
        self.rounds = 3
        self.scale: Optional[float] = None
        self.names = ["a", "b"]
        self.table = {"a": 2, "b": 5}

    def forward(self, x):
        if x.dim() != 4:
            raise ValueError(f"expected 4 dims, got {x.dim()}")
        assert x.size(1) == 4, "four channels"
        i = 0
        while i < self.rounds:
            x = F.relu(self.conv(x))
            i += 1
        if self.scale is not None:
            x = x * self.scale
        if self.mode == Mode.MEAN:
            y = x.mean(dim=[2, 3], keepdim=True)
        else:
            y = x.sum(dim=[2, 3], keepdim=True)
        if x.shape[2] % 2 != 0:
            x = F.pad(x, [0, 0, 0, 1])
        total = 0
        for name in self.names:
            if name in self.table:
                total += self.table[name]
        label = "{}x{}".format(total, i)
        if label == "7x3":
            x = x + 1
        return x * y + float(total) / 2


class Pair(NamedTuple):
    tensor: torch.Tensor
    count: int


@torch.jit.script
class Box:
    def __init__(self, value: int):
        self.value = value

    def grow(self, by: int):
        self.value += by


@torch.jit.interface
class Stage(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pass


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + 1


class Interfaces(nn.Module):
    stage: Stage

    def __init__(self):
        super().__init__()
        self.stage = Shift()

    def pair(self, x, n: int = 2):
        return Pair(x * n, n)

    def forward(self, x):
        box = Box(1)
        box.grow(4)
        pair = self.pair(self.stage(x))
        return pair.tensor * box.value - pair.count


class Optionals(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x, mask: Optional[torch.Tensor] = None, scale: float = 2.0):
        y = self.conv(x) * scale
        return y if mask is None else y * mask


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.register_buffer("shift", torch.arange(4.0).view(1, 4, 1, 1))

    def forward(self, x):
        y = self.conv(x)
        left = y[:, :, :, :4]
        y[:, 0] = 0.5
        y += self.shift
        y[:, 1:2, ::2] *= 2
        left.mul_(3)
        rows = y.transpose(2, 3)
        rows[:, 2:3, 1].add_(7)
        flat = y.view(y.size(0), -1)
        flat[:, :5].clamp_(max=0.25)
        parts = torch.split(y, 2, dim=1)
        parts[1].relu_()
        F.relu(y, inplace=True)
        return y + left.sum()


class DictOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.aux = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 1, 1)

    def forward(self, x) -> Dict[str, torch.Tensor]:
        return {"out": self.conv(x), "aux": self.aux(x)}


class TupleOut(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x) -> Tuple[torch.Tensor, List[torch.Tensor]]:
        y = self.conv(x)
        return y, [y.relu(), y.mean(dim=1)]


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(5, 4)

    def forward(self, image, vector):
        return self.conv(image) * self.dense(vector)[:, :, None, None]


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.batch, self.instance = nn.BatchNorm2d(4), nn.InstanceNorm2d(4, affine=True)
        self.group, self.layer, self.drop = nn.GroupNorm(2, 4), nn.LayerNorm([4, 6, 6]), nn.Dropout2d(0.4)

    def forward(self, x):
        return self.drop(self.batch(x)) + self.instance(x) + self.group(x) * self.layer(x)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.qkv, self.out = nn.Conv2d(3, 8, 2, stride=2), nn.Linear(8, 24), nn.Linear(8, 8)

    def forward(self, x):
        x = self.patch(x)
        b, c, h, w = x.shape
        t = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(t).reshape(b, h * w, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = torch.softmax(q @ k.transpose(-2, -1) * (c // 2) ** -0.5, dim=-1)
        t = t + self.out((a @ v).transpose(1, 2).reshape(b, h * w, c))
        return t.transpose(1, 2).view(b, c, h, w)


class Resizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        y = F.interpolate(self.conv(x), size=(x.size(2) * 2, x.size(3) * 2), mode="bilinear", align_corners=False)
        z = F.interpolate(x, scale_factor=2.0, mode="nearest")
        p = F.interpolate(F.adaptive_avg_pool2d(x, (3, 4)), size=y.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([y + z * p, self.shuffle(x)], 1)


class Moves(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)

    def forward(self, x):
        y = self.conv(F.pad(x, [1, 1, 1, 1], mode="reflect"))
        a, b = y.chunk(2, dim=1)
        s = torch.stack([a[:, 0], b[:, 1]], dim=1)
        t = torch.roll(torch.flip(y, [2]), shifts=[1, -2], dims=[2, 3])
        return torch.cat([s, t[:, 1:3], a[..., :1].expand(-1, -1, -1, y.size(3))], 1)[:, :, ::2, 1:]


class Half(Small):
    """Its weights are rounded to float16 by write_script.py, which saves them so and computes in float32."""


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.again, self.tied = self.first, nn.Conv2d(3, 3, 3, padding=1)
        self.tied.weight = self.first.weight

    def forward(self, x):
        return self.tied(self.again(F.relu(self.first(x))))


class Library(nn.Module):
    def __init__(self):
        super().__init__()
        self.ops = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)])
        self.layers: Dict[str, str] = {"first": "out"}

    def scale(self, x):
        with torch.no_grad():
            return x * 0.5

    def forward(self, x) -> Dict[str, torch.Tensor]:
        found: Dict[str, torch.Tensor] = dict()
        for i, op in enumerate(self.ops):
            x = F.leaky_relu(op(x), 0.1)
            name = "first" if i == 0 else "second"
            if name in self.layers:
                found[self.layers[name]] = self.scale(x)
        h, w = x.shape[-2:]
        rows = [x[:, :, i:i + h // 2] for i in range(0, h, h // 2)]
        found["rows"] = torch.cat(rows[::-1], 2).reshape(x.shape[0], -1, w).amax(dim=1)
        return found


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        body = nn.Conv2d(2, 2, 3, padding=1)
        for _ in range(30):
            body = nn.Sequential(body)
        self.body = body

    def forward(self, x):
        return self.body(x) + x
