"""The steps of the study, in order, with the time that is left."""
import sys
import time


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Steps:
    """Each step has a guess of its seconds; what is left is the guesses of the rest, stretched as those so far were."""

    def __init__(self, quiet=False):
        self.steps, self.quiet = [], quiet
        self.start = time.monotonic()

    def add(self, label, guess, function):
        self.steps.append((label, guess, function))

    def left(self, number):
        guessed = sum(guess for _, guess, _ in self.steps[:number])
        gone = time.monotonic() - self.start
        stretch = min(10, max(0.3, gone / guessed)) if guessed > 5 else 1
        return stretch * sum(guess for _, guess, _ in self.steps[number:])

    def run(self, check):
        """`check` is called before each step, and may raise."""
        for number, (label, _, function) in enumerate(self.steps):
            if not self.quiet:
                print(f"study2021: [{number + 1}/{len(self.steps)}] {label}; {clock(time.monotonic() - self.start)} gone, "
                      f"about {clock(self.left(number))} left", file=sys.stderr, flush=True)
            check()
            function()
