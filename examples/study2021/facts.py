"""What the study printed. Every figure that stands beside ours comes from here."""

TITLE = "Effect of hardware and framework on TVM optimisation, with U-Net"
SOURCE = f"{TITLE} (Hanyang University, 2021; code: github.com/jonghyunlee1993/AIPlatformOptimization)"
SET_UP = ("Ubuntu 16.04, Python 3.8, Xeon (Skylake, 2.29 GHz, 16 virtual CPUs), NVIDIA A100; PyTorch 1.4.1, TensorFlow 2.4, TVM "
          "0.8 with AutoTVM (XGBoost tuner, 500 trials, early stop 200, opt level 3); Kaggle LGG MRI, 20 % of it for testing; "
          "batch 1, 256x256x3; time of the whole test set / number of images, mean of five repeats")

# (target, framework): (before s, after s, Dice, change as printed)
TABLE_1 = {("CPU", "PyTorch"): (0.818674, 0.999154, 0.7678, "+18.06 %"),
           ("CPU", "TensorFlow"): (0.236142, 0.993360, 0.7348, "+320.66 %"),
           ("GPU", "PyTorch"): (0.008224, 0.002960, 0.7678, "-177.84 %"),
           ("GPU", "TensorFlow"): (0.004530, 0.003998, 0.7348, "-13.31 %")}

# ms, PyTorch on the GPU, 25 runs
TABLE_2 = {"before": (9.751, 8.802, 9.093, 9.569, 9.820, 9.830, 9.253, 9.762, 10.656, 9.312, 8.855, 9.057, 8.941, 8.926,
                      8.848, 8.911, 9.471, 9.862, 11.011, 10.455, 9.348, 9.542, 9.954, 9.887, 8.778),
           "after": (6.190, 6.077, 6.083, 6.099, 6.105, 6.097, 6.095, 6.378, 5.867, 6.208, 5.910, 6.541, 6.053, 6.192,
                     6.394, 6.185, 12.804, 12.013, 13.706, 12.411, 13.323, 6.982, 12.715, 13.390, 7.091)}

# Of the networks at the study's width.
NETS = {"PyTorch": {"parameters": 13.4e6, "flop": 61.8e9, "up": "bilinear"},
        "TensorFlow": {"parameters": 31.0e6, "flop": 96.3e9, "up": "transposed convolution"}}

CPU_SLOWER = ("The study: TVM's target was \"llvm\" without a CPU's name, so its code was SSE: 4 lanes, no fused multiply-add; "
              "tuned layers sit flat at 121 to 150 GFLOP/s. The heaviest convolutions (1024->512 at 32x32, 512->256 at 64x64, "
              "256->128 at 128x128, 128->64 at 256x256) timed out in every trial and silently ran untuned; only convolutions "
              "were tuned (431 of 993 ms with TensorFlow's network, 360 of 999 ms with PyTorch's).")
FRAMEWORKS_DIFFER = ("The study: the networks were not the same: bilinear up-sampling, 13.4 M parameters, 61.8 GFLOP (PyTorch) "
                     "against transposed convolutions, 31.0 M parameters, 96.3 GFLOP (TensorFlow). Dice with smooth 1 was "
                     "compared with Dice with smooth 100; images and masks were paired by unsorted listings; pre-processing "
                     "at evaluation was another one than in training.")
TIMINGS_JUMP = ("The study: the clock was read without waiting for the GPU; data loaders competed for the cores; tuning used 1, "
                "7 or 8 threads, evaluation the default. Its Table 2 after tuning has runs near 6 ms and runs near 13 ms.")
LAYERS_MATTER = ("The study: not answered. TVM's debugger did not run (its documented call raises an error in that version).")
