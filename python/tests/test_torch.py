"""compile of a torch.nn.Module, where PyTorch is there."""

import unittest
import warnings

import numpy
from case import Case, picture

import stent

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
except ImportError:
    torch = None


@unittest.skipIf(torch is None, "there is no PyTorch")
class Torch(Case):
    def small(self):
        torch.manual_seed(1)

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
                self.norm = torch.nn.BatchNorm2d(8)
                self.drop = torch.nn.Dropout(0.5)
                self.down = torch.nn.MaxPool2d(2)
                self.last = torch.nn.Conv2d(16, 1, 1)

            def forward(self, image):
                full = torch.relu(self.norm(self.first(image)))
                up = torch.nn.functional.interpolate(self.down(full), scale_factor=2, mode="nearest")
                return torch.sigmoid(self.last(self.drop(torch.cat([full, up], 1))))

        net = Net()
        net.norm.running_mean.uniform_(-1, 1)
        net.norm.running_var.uniform_(0.5, 2)
        return net

    def answer(self, net, *arrays):
        with torch.no_grad():
            return net(*[torch.from_numpy(array) for array in arrays]).numpy()

    def test_it_answers_as_pytorch_does(self):
        net = self.small().eval()
        with stent.compile(net, example=torch.zeros(1, 3, 32, 32)) as compiled:
            self.assertEqual([value.name for value in compiled.inputs + compiled.outputs], ["image", "output"])
            free = [isinstance(dim, str) for dim in compiled.inputs[0].shape]  # torch.export chooses the names
            self.assertEqual(free, [True, False, True, True])
            for shape in ((1, 3, 32, 32), (3, 3, 16, 48)):
                x = picture(*shape)
                numpy.testing.assert_allclose(compiled(x), self.answer(net, x), atol=1e-5)
            self.assertTrue(compiled.verify(net, example=torch.zeros(1, 3, 32, 32), input=picture(1, 3, 24, 24)).ok)
            self.assertEqual(compiled.info()["model"], "Net.pt2")

    def test_modes_are_restored(self):
        net = self.small().train()
        net.norm.eval()  # one that is frozen
        before = [(part, part.training) for part in net.modules()]
        with stent.compile(net, example=numpy.zeros((1, 3, 16, 16), numpy.float32)) as compiled:
            self.assertEqual([part.training for part, _ in before], [training for _, training in before])
            x = picture(1, 3, 16, 16)
            numpy.testing.assert_allclose(compiled(x), self.answer(net.eval(), x), atol=1e-5)  # no dropout
        net.train()
        net.forward = lambda image: [][1]
        with self.assertRaises(IndexError):
            stent.compile(net, example=torch.zeros(1, 3, 16, 16))
        self.assertTrue(net.training)

    def test_sizes_may_be_fixed(self):
        with stent.compile(self.small(), example=torch.zeros(1, 3, 16, 24), dynamic=False) as compiled:
            self.assertEqual(compiled.inputs[0].shape, (1, 3, 16, 24))
        with stent.compile(self.small(), example=torch.zeros(1, 3, 16, 24), inputs={"image": (2, 3, 8, 8)}) as compiled:
            self.assertEqual(compiled.inputs[0].shape, (2, 3, 8, 8))

    def test_several_inputs_and_outputs(self):
        class Two(torch.nn.Module):
            def forward(self, a, factor=1, b=None, *, sign=1):
                return {"sum": a * factor + sign * b, "product": a * b}

        a, b, t = picture(2, 3), picture(2, 3, seed=2), torch.zeros(2, 3)
        for example, factor, sign in (((t, 1, t), 1, 1), ((t, 3, t), 3, 1), ({"b": t, "a": t}, 1, 1),
                                      ({"b": t, "a": t.numpy(), "sign": -1}, 1, -1)):
            module = Two()
            with stent.compile(module, example=example) as compiled:
                self.assertEqual([value.name for value in compiled.inputs], ["a", "b"])
                self.assertIsInstance(compiled.inputs[0].shape[0], str)
                self.assertEqual(compiled.inputs[0].shape[1], 3)
                found = compiled(b=b, a=a)
                self.assertEqual(sorted(found), ["product", "sum"])
                numpy.testing.assert_allclose(found["sum"], a * factor + sign * b, rtol=1e-6)
                numpy.testing.assert_allclose(found["product"], a * b)
            self.assertTrue(module.training)

    def test_what_export_cannot_follow_is_traced(self):
        class Chooses(torch.nn.Module):
            def forward(self, image):
                return image * 2 if float(image.sum()) >= 0 else image * 3

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the trace is of this choice only
            compiled = stent.compile(Chooses(), example=torch.zeros(1, 3, 4, 4))
        with compiled:
            self.assertEqual(compiled.info()["model"], "Chooses.onnx")
            self.assertEqual(compiled.inputs[0].shape, ("N", 3, "H", "W"))
            numpy.testing.assert_array_equal(compiled(picture(1, 3, 5, 6)), picture(1, 3, 5, 6) * 2)

    def test_tensors_inside_of_a_list(self):
        class Sum(torch.nn.Module):
            def forward(self, listed):
                return listed[0] - listed[1]

        with stent.compile(Sum(), example=([torch.zeros(2, 3), torch.zeros(2, 3)],)) as compiled:
            a, b = picture(2, 3), picture(2, 3, seed=2)
            numpy.testing.assert_array_equal(compiled(a, b), a - b)

    def test_wrong_examples(self):
        net = self.small()
        with self.raises(stent.UsageError, "example", "torch.zeros"):
            stent.compile(net)
        with self.raises(stent.UsageError, "does not fit forward() of Net"):
            stent.compile(net, example=(torch.zeros(1, 3, 8, 8), 1))
        with self.raises(stent.UsageError, "does not fit"):
            stent.compile(net, example={"picture": torch.zeros(1, 3, 8, 8)})
        with self.assertRaises(RuntimeError):
            stent.compile(net, example=torch.zeros(1, 4, 8, 8))
