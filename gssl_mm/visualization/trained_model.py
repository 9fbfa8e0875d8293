"""Trained models named on the command line: a work dir, or two files."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gssl_mm.engine.find_checkpoint import checkpoint_candidates
from gssl_mm.engine.safe_checkpoint import written_last
from gssl_mm.tooling.errors import CheckpointFileError, ConfigFileError

SOURCE_HELP = (
    'a work dir, CONFIG,CHECKPOINT, or the name of a model that comes with '
    'weights (gssl_demo); NAME= in front gives it a name in the figure')


def preprocessor_of(cfg: Any) -> dict:
    """Config of the data preprocessor, wherever the config has it."""
    return (cfg.model.get('data_preprocessor')
            or cfg.get('data_preprocessor') or {})


@dataclass
class TrainedModel:
    """A model with its config.

    Args:
        name (str): What figures call it.
        cfg (Config): Its config.
        model (ImageClassifier): In evaluation mode.
        checkpoint (str | Path): File of its weights.
    """

    name: str
    cfg: Any
    model: nn.Module
    checkpoint: str | Path = ''

    def prepare(self, images: Tensor) -> Tensor:
        """Make a network's input of uint8 RGB images ``(N, 3, H, W)``."""
        bgr = preprocessor_of(self.cfg).get('to_rgb', False)
        batch = dict(inputs=images.flip(1) if bgr else images)
        return self.model.data_preprocessor(batch, False)['inputs']


def split_name(source: str) -> tuple[str | None, str]:
    """Split ``NAME=SOURCE``; a path may hold ``=`` after a slash."""
    name, found, rest = source.partition('=')
    if found and name and '/' not in name:
        return name, rest
    return None, source


def find_run_config(work_dir: Path) -> Path:
    """Config that a run wrote, the newest.

    Raises:
        ConfigFileError: There is none.
    """
    logged = sorted(work_dir.glob('*/vis_data/config.py'))
    found = logged or sorted(work_dir.glob('*.py'))
    if not found:
        raise ConfigFileError(
            f'{work_dir} holds no config of a run (*/vis_data/config.py). '
            'Give the work dir of a training, or CONFIG,CHECKPOINT.')
    return found[-1]


def find_weights(work_dir: Path, which: str = 'last') -> Path:
    """The last or the best checkpoint of a run.

    Raises:
        CheckpointFileError: It has none.
    """
    if which == 'best':
        found = written_last(work_dir, 'best_*.pth')
    else:
        found = next(iter(checkpoint_candidates(work_dir)), None)
    if found is None:
        raise CheckpointFileError(
            f'{work_dir} holds no {which} checkpoint. Give CONFIG,CHECKPOINT, '
            'or wait for the first one.')
    return found


def _two_files(source: str, which: str) -> tuple[str, Path]:
    folder = Path(source)
    if folder.is_dir():
        return str(find_run_config(folder)), find_weights(folder, which)
    config, _, checkpoint = source.rpartition(',')
    return config, Path(checkpoint)


def _is_name(source: str) -> bool:
    """Whether it can only be the name of a model.

    Raises:
        ConfigFileError: It looks like a folder that does not exist.
    """
    if ',' in source or Path(source).is_dir():
        return False
    if '/' in source or source.endswith('.py'):
        raise ConfigFileError(
            f'{source!r} is no work dir. Give {SOURCE_HELP}.')
    return True


def load_trained(source: str, which: str = 'last',
                 options: dict | None = None) -> TrainedModel:
    """Load a model that a user named.

    Args:
        source (str): A work dir, ``CONFIG,CHECKPOINT``, or the name of a
            model with weights; ``NAME=`` in front names it.
        which (str): ``'last'`` or ``'best'`` checkpoint of a work dir.
        options (dict, optional): Changes of the config, before the model is
            built. Defaults to none.

    Raises:
        ConfigFileError: There is no such config or work dir.
        CheckpointFileError: There is no such checkpoint.
        ArchitectureMismatchError: The checkpoint belongs to another model.
        CheckpointError: The file is no checkpoint.
        UnknownModelError: No model has this name.
        OptionError: The name comes without weights, or an option does not
            fit the config.
        UnknownConfigKeyError: Nothing reads an option.

    Example:
        >>> import torch
        >>> trained = load_trained('demo=gssl_demo')
        >>> trained.name, trained.prepare(
        ...     torch.zeros(1, 3, 32, 32, dtype=torch.uint8)).shape
        ('demo', torch.Size([1, 3, 32, 32]))
    """
    from gssl_mm.apis.model import get_model
    from gssl_mm.tooling.config_file import read_config
    from gssl_mm.tooling.export import find_model
    from gssl_mm.tooling.key_check import apply_options
    name, rest = split_name(source)
    if _is_name(rest):
        cfg, checkpoint = find_model(rest, None)
    else:
        config, checkpoint = _two_files(rest, which)
        cfg = read_config(config)
    apply_options(cfg, options)
    return TrainedModel(name or Path(rest.split(',')[0]).stem, cfg,
                        get_model(cfg, checkpoint), checkpoint)


def load_all(sources: list[str], which: str = 'last',
             options: dict | None = None) -> list[TrainedModel]:
    """Load several models under names that differ."""
    models = [load_trained(s, which, options) for s in sources]
    for model, source in zip(models, sources, strict=True):
        same = [m for m in models if m.name == model.name]
        if len(same) > 1:
            path = Path(split_name(source)[1].split(',')[0]).resolve()
            model.name = '/'.join(path.parts[-2:])
    return models


__all__ = [
    'SOURCE_HELP', 'TrainedModel', 'find_run_config', 'find_weights',
    'load_all', 'load_trained', 'preprocessor_of', 'split_name'
]
