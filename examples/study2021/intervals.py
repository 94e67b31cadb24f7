"""Means, medians and their 95 % intervals. A value with its interval is {"value", "low", "high"}, as pages have it."""
import numpy as np

# Student's t, 97.5 %, for 1 to 30 degrees of freedom.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
RESAMPLES = 2000
SEED = 1


def interval(value, low, high):
    return {"value": float(value), "low": float(low), "high": float(high)}


def mean(values):
    """Of repeats, by Student's t; a single one has no interval."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return float(values.mean())
    t = STUDENT[len(values) - 2] if len(values) - 2 < len(STUDENT) else 1.96
    half = t * values.std(ddof=1) / np.sqrt(len(values))
    return interval(values.mean(), values.mean() - half, values.mean() + half)


def bootstrapped(count, statistic):
    """`statistic` of indices drawn from 0 to count - 1; percentiles."""
    picks = np.random.default_rng(SEED).integers(0, count, (RESAMPLES, count))
    low, high = np.quantile([statistic(pick) for pick in picks], [0.025, 0.975])
    return interval(statistic(np.arange(count)), low, high)


def paired_ratio(ours, theirs):
    """Median over pairs that were measured next to each other of ours / theirs."""
    ratios = np.asarray(ours, float) / np.asarray(theirs, float)
    return bootstrapped(len(ratios), lambda pick: np.median(ratios[pick]))


def shown(number):
    """0.512 [0.498, 0.530]"""
    return f"{number['value']:.3f} [{number['low']:.3f}, {number['high']:.3f}]"


def percent(values):
    """The variation of these, for a text."""
    return f"{100 * variation(values):.1f} %"


def variation(values):
    """Standard deviation / mean."""
    values = np.asarray(values, float)
    return float(values.std(ddof=1) / values.mean()) if len(values) > 1 else 0.0


def value_of(number):
    return number["value"] if isinstance(number, dict) else number
