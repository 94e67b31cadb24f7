"""The modules behind export_nets.py: each function gives (module, example inputs, keyword inputs, dynamic_shapes, runs).

runs: the inputs to compare on, where they are not the example's."""
import collections

import torch
from torch import nn
from torch.export import Dim
from torch.nn import functional as F


def rand(*shape):
    return torch.randn(*shape)


class Block(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
                         nn.Conv2d(cout, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.inc, self.down1, self.down2 = Block(3, width), Block(width, 2 * width), Block(2 * width, 2 * width)
        self.up1, self.up2, self.out = Block(4 * width, width), Block(2 * width, width), nn.Conv2d(width, 2, 1)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, x):
        a = self.inc(x)
        b = self.down1(self.pool(a))
        c = self.down2(self.pool(b))
        d = self.up1(torch.cat([b, self.up(c)], dim=1))
        return self.out(self.up2(torch.cat([a, self.up(d)], dim=1)))


def unet():
    return UNet(), (rand(1, 3, 32, 48),), {}, None, None


def unet_dynamic():
    height, width, batch = Dim("height", min=2, max=64), Dim("width", min=2, max=64), Dim("batch", min=1, max=16)
    return UNet(), (rand(2, 3, 32, 48),), {}, {"x": {0: batch, 2: 4 * height, 3: 4 * width}}, (rand(3, 3, 20, 36),)


class UNet3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv3d(1, 4, 3, padding=1), nn.Conv3d(4, 8, 3, stride=2, padding=1)
        self.skip, self.up = nn.Conv3d(4, 8, 1, stride=2), nn.ConvTranspose3d(8, 4, 2, stride=2)
        self.norm_a, self.norm_b = nn.InstanceNorm3d(4, affine=True), nn.InstanceNorm3d(8)
        self.act = nn.LeakyReLU(0.1, inplace=True)

    def forward(self, x):
        a = self.act(self.norm_a(self.a(x)))
        b = self.norm_b(self.b(a))
        b += self.skip(a)
        return self.up(self.act(b)) - a


def unet_3d():
    return UNet3d(), (rand(1, 1, 8, 12, 16),), {}, None, None


class Inputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 3)

    def forward(self, image, others, scale, nothing=None, *, context):
        x = torch.cat([image, *others], dim=1) * scale
        return self.conv(x) + context if nothing is None else x


def inputs():
    return Inputs(), (rand(1, 2, 9, 8), [rand(1, 1, 9, 8), rand(1, 1, 9, 8)], 2.5), {"context": rand(3, 7, 6)}, None, None


class Dict(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        y = self.conv(x)
        return {"mask": torch.sigmoid(y), "aux": (y, y.mean(dim=(2, 3)))}


def dict_():
    return Dict(), (rand(1, 1, 8, 9),), {}, None, None


class Tuple(nn.Module):
    def forward(self, x, y):
        z = x * y + 1
        return z, x, z


def tuple_():
    return Tuple(), (rand(2, 3), rand(2, 3)), {}, None, None


Result = collections.namedtuple("Result", ["logits", "features"])


class NamedTuple(nn.Module):
    def forward(self, x):
        return Result(torch.tanh(x), x.exp().sum(dim=1))


def named_tuple():
    torch.utils._pytree._register_namedtuple(Result, serialized_type_name="export_modules.Result")
    return NamedTuple(), (rand(2, 5),), {}, None, None


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.offsets = torch.randn(3, 1, 1)  # no buffer

    def forward(self, x):
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (x - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
        return x + self.offsets * torch.linspace(0, 1, 8) + torch.ones(6, 1)


def constants():
    return Constants(), (rand(1, 3, 6, 8),), {}, None, None


class Buffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.rand(4))
        self.register_buffer("shift", torch.rand(4), persistent=False)
        self.register_buffer("steps", torch.tensor(3))

    def forward(self, x):
        self.steps.add_(1)
        return x * self.scale + self.shift + self.steps


def buffers():
    return Buffers(), (rand(5, 4),), {}, None, None


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(2, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.Conv2d(8, 3, 1)

    def forward(self, x):
        return self.head(F.silu(self.norm(self.conv(x))))


def bfloat16():
    return Mlp().bfloat16(), (rand(1, 2, 10, 12).bfloat16(),), {}, None, None


class HalfStored(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 4).half())
        self.bias = nn.Parameter(torch.randn(6).bfloat16())

    def forward(self, x):
        return F.linear(x, self.weight.float(), self.bias.to(x.dtype))


def half_stored():
    return HalfStored(), (rand(3, 4),), {}, None, None


class SharedStorage(nn.Module):
    def __init__(self):
        super().__init__()
        base = torch.randn(200)
        self.first = nn.Parameter(base[8:44].view(4, 1, 3, 3))
        self.second = nn.Parameter(base[50:194].view(3, 3, 4, 4).permute(3, 2, 0, 1))
        self.third = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
        self.fourth = nn.Conv2d(4, 4, 3, bias=False)
        self.fourth.weight = self.third.weight

    def forward(self, x):
        return self.fourth(self.third(F.conv2d(F.conv2d(x, self.first), self.second)))


def shared_storage():
    return SharedStorage(), (rand(1, 1, 16, 15),), {}, None, None


class InPlace(nn.Module):
    def forward(self, x):
        y = x.clone()
        y[:, 0] = 2
        y[..., ::2] *= 3
        y[:, 1:, 2].add_(x[:, 1:, 3])
        rows = y.view(y.shape[0], -1)
        rows[:, -4:] = 0.5
        z = y.transpose(1, 2)
        z[0].relu_()
        y += 1
        return z - x.transpose(1, 2)


def in_place():
    return InPlace(), (rand(2, 3, 4, 5),), {}, None, None


class WindowMask(nn.Module):
    def forward(self, x):
        height, width, window, shift, number = x.shape[1], x.shape[2], 4, 2, 0
        mask = torch.zeros(1, height, width, 1)
        for rows in (slice(-window), slice(-window, -shift), slice(-shift, None)):
            for columns in (slice(-window), slice(-window, -shift), slice(-shift, None)):
                mask[:, rows, columns, :] = number
                number += 1
        mask = mask.view(1, height // window, window, width // window, window, 1)
        mask = mask.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window)
        mask = mask.unsqueeze(1) - mask.unsqueeze(2)
        mask = mask.masked_fill(mask != 0, -100.0).masked_fill(mask == 0, 0.0)
        x = torch.roll(x, (-shift, -shift), (1, 2)).view(1, height // window, window, width // window, window, -1)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, x.shape[-1])
        return torch.softmax(x @ x.transpose(1, 2) + mask, dim=-1) @ x


def window_mask():
    return WindowMask(), (rand(1, 8, 12, 6),), {}, None, None


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)

    def forward(self, x):
        with torch.no_grad():
            scale = x.abs().amax(dim=(2, 3), keepdim=True)
            x = x / scale
        return self.conv(x) * scale.mean()


def no_grad():
    return NoGrad(), (rand(1, 2, 7, 8),), {}, None, None


class Autocast(nn.Module):  # not with the above: torch 2.5 calls both regions by one name
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)

    def forward(self, x):
        y = F.relu(x)
        with torch.autocast("cpu", enabled=False):
            y = self.conv(y)
        return y * 2


def autocast():
    return Autocast(), (rand(1, 2, 7, 8),), {}, None, None


class Sizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)

    def forward(self, x):
        height, width = x.shape[-2:]
        y = F.pad(x, (0, 8 - width % 8, 0, 8 - height % 8))
        y = F.avg_pool2d(self.conv(y), 8)
        y = F.interpolate(y, size=(height, width), mode="nearest")
        z = y.reshape(y.shape[0], 3, height * width).mean(dim=2)
        half = x[:, :1, ::2, ::2]
        half = F.interpolate(half, size=(height, width), mode="bilinear", align_corners=False)
        return y + z[:, :, None, None] + half


def sizes():
    height, width = Dim("height", min=8, max=256), Dim("width", min=8, max=256)
    return Sizes(), (rand(1, 2, 24, 17),), {}, {"x": {2: height, 3: width}}, (rand(1, 2, 13, 33),)


class Attention(nn.Module):
    def __init__(self, dim=16, heads=4):
        super().__init__()
        self.patches, self.heads = nn.Conv2d(1, dim, 4, stride=4), heads
        self.norm, self.qkv, self.proj = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 32), nn.GELU(), nn.Linear(32, dim))

    def forward(self, x):
        x = self.patches(x)
        batch, dim, height, width = x.shape
        x = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(self.norm(x)).reshape(batch, height * width, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        place = torch.arange(height * width)
        mask = torch.zeros(height * width, height * width).masked_fill(place[None] > place[:, None] + 3, float("-inf"))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.proj(y.transpose(1, 2).reshape(batch, height * width, dim))
        x = x + self.mlp(x)
        return x.transpose(1, 2).reshape(batch, dim, height, width)


def attention():
    height, width = Dim("height", min=2, max=32), Dim("width", min=2, max=32)
    return Attention(), (rand(1, 1, 24, 16),), {}, {"x": {2: 4 * height, 3: 4 * width}}, (rand(1, 1, 20, 28),)


class Integers(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(10, 4)

    def forward(self, index, x):
        y = self.table(index) + torch.arange(index.shape[1])[:, None]
        return torch.where((index % 2 == 0).unsqueeze(-1), y, x) * (index > 3).to(x.dtype).unsqueeze(-1)


def integers():
    return Integers(), (torch.randint(0, 10, (2, 6)), rand(2, 6, 4)), {}, None, None
