"""Choose the work directory of a run."""
import os
from pathlib import Path
from typing import Any


def choose_work_dir(cfg: Any, given: str | None, config_name: str) -> str:
    """Command line before config before ``work_dirs/<config stem>``."""
    if given is not None:
        return given
    return cfg.get('work_dir') or os.path.join(
        './work_dirs', Path(config_name).stem)


__all__ = ['choose_work_dir']
