"""The gates of a study: their names, configs and step times."""
import argparse
from functools import partial
from pathlib import Path

import bench_training
from bench_common import paired_ratio, quiet_host, take_turns
from mmengine.config import Config

from gssl_mm.engine.run_facts import config_sha
from gssl_mm.tooling.arguments import parse
from gssl_mm.tooling.batch_size import apply_total_batch_size
from gssl_mm.tooling.config_file import read_config
from gssl_mm.tooling.errors import OptionError
from gssl_mm.tooling.train import build_parser, merge_args

ALIGNED = dict(_delete_=True, type='gssl_mm.AlignedGate')
# Name: what changes in the experiment's gate, a SoftmaxGate
GATES = {
    'uniformgate': dict(_delete_=True, type='gssl_mm.UniformGate', total=1),
    'experiment': {},
    'nogate': dict(_delete_=True, type='gssl_mm.UniformGate'),
    'learnedgate': dict(grad='learned'),
    'learnedgate-nolorot': dict(grad='learned'),
    'chancegate': dict(grad='learned', divide_by_chance=True),
    'balancegate': dict(grad='learned', balance=1.),
    'uncertaintygate': dict(_delete_=True, type='gssl_mm.UncertaintyGate'),
    'alignedgate': dict(ALIGNED, momentum=0.1),
    'alignedgate-sharp': dict(ALIGNED, momentum=0.01, temperature=0.002),
    'alignedgate-cut': dict(ALIGNED, momentum=0.1, cut_negative=True),
    'alignedgate-sample': dict(ALIGNED, reduce='per_sample'),
}
# The task that is off
WITHOUT = {'learnedgate-nolorot': 'gssl_mm.LocalRotation'}
HOOK = dict(gate_curves=dict(type='gssl_mm.GateCurvesHook'))


def stem_of(experiment: Path, gate: str) -> str:
    """Name of the config: the gate follows the backbone."""
    if gate == 'experiment':
        return experiment.stem
    backbone, _, rest = experiment.stem.partition('_')
    return f'{backbone}-{gate}_{rest}'


def changes(experiment: Path, gate: str, log_agreement: bool = True) -> dict:
    """What a gate changes in an experiment.

    Raises:
        OptionError: The experiment has no head with a SoftmaxGate, or no task
            that can be switched off.
    """
    model = Config.fromfile(experiment).model
    head = model.head
    if (head.get('gate') or {}).get('type') != 'gssl_mm.SoftmaxGate':
        raise OptionError(
            f'{experiment} has no GatedMultiTaskHead with a SoftmaxGate, whose '
            'place the gates take. Give the config of a gated experiment, such '
            'as configs/gssl/resnet32_cifar10lt.py.')
    found = dict(head=dict(gate=GATES[gate]))
    if log_agreement:
        found['head']['log_agreement'] = True
    if gate in WITHOUT:
        tasks = [dict(t) for t in head.tasks if t['type'] != WITHOUT[gate]]
        if len(tasks) != len(head.tasks) - 1:
            raise OptionError(f'{experiment} does not train {WITHOUT[gate]}: '
                              f'leave {gate} out with --gates.')
        found['head']['tasks'] = tasks
        found['data_preprocessor'] = dict(pretext=dict(tasks=tasks))
    return found


def write_config(experiment: Path, gate: str, folder: Path,
                 log_agreement: bool = True) -> Path:
    """Write the config of a gate, based on the experiment's."""
    path = folder / f'{stem_of(experiment, gate)}.py'
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'"""{gate}: made by tools/benchmarks/gate_study.py."""\n'
        f'_base_ = {str(experiment.resolve())!r}\n\n'
        f'model = {changes(experiment, gate, log_agreement)!r}\n'
        f'default_hooks = {HOOK!r}\n')
    return path


def merged(path: Path, options: list[str]) -> tuple:
    """A config with options of the train tool, and these as it reads them."""
    words = parse(build_parser(), [str(path), *options])
    return merge_args(read_config(words.config), words), words


def trained_as(path: Path, options: list[str]) -> str:
    """Fingerprint of what the train tool would train, see config_sha.

    Raises:
        OptionError: An option does not fit the config.
    """
    cfg, words = merged(path, options)
    apply_total_batch_size(cfg, 1, words.cfg_options)
    return config_sha(cfg)


def build_trainer(path: Path, args: argparse.Namespace) -> tuple:
    """A trainer of a config with the study's options, and a batch for it."""
    cfg, words = merged(path, args.options)
    if args.batch_size:
        cfg.total_batch_size = args.batch_size
    apply_total_batch_size(cfg, 1)
    precision = 'bfloat16' if words.amp else 'float32'
    trainer = bench_training.Trainer(cfg, args.device, precision)
    return trainer, bench_training.random_batch(cfg)


def time_gates(configs: dict[str, Path],
               args: argparse.Namespace) -> dict[str, float]:
    """Step times over that of the first config, medians of paired rounds."""
    runs = {}
    with quiet_host(tuned=True):
        for name, path in configs.items():
            trainer, batch = build_trainer(path, args)
            runs[name] = partial(trainer.step, batch)
        times = take_turns(runs, args)
    base = times[next(iter(times))]
    return {name: paired_ratio(found, base) for name, found in times.items()}
