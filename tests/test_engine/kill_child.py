"""Train a config, die as told, resume, until it is done.

``python kill_child.py CONFIG SCENARIOS.json`` runs each scenario, a dict with
``work_dir``, ``config`` (instead of CONFIG), ``options`` (overrides of it) and
``kills``: one attempt is forked for each kill, and a last one without. With
``may_miss`` an attempt may end before its kill. A kill is one of

- ``['iter', n]``: SIGKILL in the n-th training iteration of the attempt,
- ``['time', s]``: SIGKILL from outside after s seconds of training,
- ``['write', n]``: SIGKILL with half the bytes of the n-th file written,
- ``['rename', n]`` / ``['renamed', n]``: before / after its rename,
- ``['delete', n]``: before the n-th file is deleted,
- ``['truncate', bytes]``: no kill, the newest checkpoint is cut down before the
  attempt that follows.
"""
import json
import os
import signal
import sys
import threading
from pathlib import Path


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Die when a counter that was set reaches zero."""

    def __init__(self, kill):
        self.kind, self.left = (kill[0], kill[1]) if kill else (None, 0)

    def hits(self, kind):
        if kind != self.kind:
            return False
        self.left -= 1
        return self.left == 0


def arm_files(countdown):
    from mmengine.fileio import LocalBackend

    from gssl_mm import atomic_io
    write, replace = atomic_io._write_synced, os.replace
    remove = LocalBackend.remove

    def half_write(path, data):
        if countdown.hits('write'):
            write(path, data[:len(data) // 2])
            die()
        write(path, data)

    def late_replace(source, target):
        if countdown.hits('rename'):
            die()
        replace(source, target)
        if countdown.hits('renamed'):
            die()

    def late_remove(self, path):
        if countdown.hits('delete'):
            die()
        remove(self, path)

    atomic_io._write_synced = half_write
    atomic_io.os.replace = late_replace
    LocalBackend.remove = late_remove


def make_hook(countdown):
    from mmengine.hooks import Hook

    class KillHook(Hook):

        def before_train(self, runner):
            if countdown.kind == 'time':
                threading.Timer(countdown.left, die).start()

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if countdown.hits('iter'):
                die()

    return KillHook()


def train(config, scenario, kill):
    from mmengine.config import Config
    from mmengine.runner import Runner

    from gssl_mm.engine import find_resumable_checkpoint
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(scenario.get('options', {}))
    cfg.work_dir = scenario['work_dir']
    found = find_resumable_checkpoint(cfg.work_dir)
    if found is not None:
        cfg.resume, cfg.load_from = True, str(found)
    countdown = Countdown(kill)
    arm_files(countdown)
    runner = Runner.from_cfg(cfg)
    runner.register_hook(make_hook(countdown), 'VERY_LOW')
    runner.train()


def attempt(config, scenario, kill):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            train(config, scenario, kill)
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def run(config, scenario):
    for kill in scenario.get('kills', []):
        if kill[0] == 'truncate':
            folder = Path(scenario['work_dir'])
            newest = Path((folder / 'last_checkpoint').read_text())
            os.truncate(newest, kill[1])
            continue
        status = attempt(config, scenario, kill)
        if not os.WIFSIGNALED(status) and not scenario.get('may_miss'):
            raise SystemExit(f'{kill} did not kill: status {status}')
    status = attempt(config, scenario, None)
    if status != 0:
        raise SystemExit(f'last attempt ended with status {status}')


def main(config, scenarios):
    sys.path.insert(0, str(Path(__file__).parent))
    # What the forks would import again and again.
    import matplotlib.backends.backend_agg
    import matplotlib.pyplot  # noqa: F401
    import mmpretrain.datasets
    import mmpretrain.evaluation
    import mmpretrain.models  # noqa: F401
    import torch
    import toy  # noqa: F401
    from mmengine.config import Config

    import gssl_mm.engine  # noqa: F401
    torch.set_num_threads(1)
    Config(dict(a=1)).pretty_text  # noqa: B018
    for scenario in json.loads(Path(scenarios).read_text()):
        run(scenario.get('config', config), scenario)


if __name__ == '__main__':
    main(*sys.argv[1:])
