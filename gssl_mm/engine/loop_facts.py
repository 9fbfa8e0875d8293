"""What hooks ask about the loop that calls them."""
import bisect
from typing import Any

from mmengine.runner import IterBasedTrainLoop


def by_iteration(runner) -> bool:
    """Whether training counts iterations and not epochs."""
    return isinstance(runner.train_loop, IterBasedTrainLoop)


def passes(runner, iteration: int | None = None) -> int:
    """How many passes over the training set were finished.

    The host counts epochs in an epoch-based loop alone; in an iteration-based
    one its number stays 0.

    Args:
        runner (Runner): A runner in training.
        iteration (int, optional): Of an iteration-based loop, instead of the
            present one. Defaults to None.
    """
    if not by_iteration(runner):
        return runner.epoch
    iteration = runner.iter if iteration is None else iteration
    return iteration // len(runner.train_dataloader)


def validates(runner, step: int, last: int) -> bool:
    """Whether the train loop validates after ``step`` epochs or iterations.

    Args:
        runner (Runner): A runner in training.
        step (int): Finished epochs, in an iteration-based loop iterations.
        last (int): How many there will be.
    """
    loop = runner.train_loop
    if runner.val_loop is None or step < loop.val_begin:
        return False
    # The loop looks its interval up for the step that follows.
    index = bisect.bisect(loop.dynamic_milestones, step + 1) - 1
    return step % loop.dynamic_intervals[index] == 0 or step == last


def longest_window(runner) -> int | None:
    """How many of the last iterations a log or a result is made of.

    Args:
        runner (Runner): A runner in training.

    Returns:
        int | None: The longest of the log processor's windows and of one pass
        over the loader; None where all iterations are needed.
    """
    processor = runner.log_processor
    windows = [processor.window_size, len(runner.train_dataloader), *(
        part.get('window_size') or 1 for part in processor.custom_cfg)]
    if not all(isinstance(window, int) for window in windows):
        return None
    return max(windows)


class FormattedConfig:
    """A config with its text at hand, which takes 0.1 s to format anew.

    Args:
        cfg (Config): What every other attribute is read from.
        text (str): Its ``pretty_text``.
    """

    def __init__(self, cfg, text: str) -> None:
        self._cfg, self.pretty_text = cfg, text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cfg, name)

    def __getitem__(self, name: str) -> Any:
        return self._cfg[name]


__all__ = [
    'FormattedConfig', 'by_iteration', 'longest_window', 'passes', 'validates'
]
