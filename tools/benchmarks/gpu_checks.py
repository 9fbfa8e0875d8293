"""Compare the GPU with the CPU, and show that a step waits for nothing.

    python tools/benchmarks/gpu_checks.py --device cuda --out gpu_checks.json

- values: pretext transforms, crop and flip move the same bits on both devices
  from the same draws; the loss terms of one training step agree.
- no wait: with PyTorch's synchronisation debug mode set to raise an error, the
  transform, the crop, the task heads with every gate, a whole training step
  (labels on the device already) and the keeping of its logged values run.
- one wait a step is the host's own: its copy of the class labels. The waits
  of a step that starts from a loader's batch are counted.

On the CPU (``--device cpu``) the second half is skipped. Leaves with 1 if a
check fails.
"""
import argparse
import copy
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from bench_common import (
    machine_facts,
    make_parser,
    prepare,
    quiet_host,
    write_json,
)
from bench_training import Trainer, random_batch, read_recipe

from gssl_mm.engine.scalar_buffer import ScalarBuffer
from gssl_mm.models.heads.task_heads import TaskHeads
from gssl_mm.models.pretext import PretextTransform
from gssl_mm.models.utils import RandomCropFlip
from gssl_mm.registry import MODELS
from gssl_mm.tooling.errors import run_tool

ROTATION = 'gssl_mm.LocalRotation'
PERMUTATION = 'gssl_mm.LocalChannelPermutation'
FLIPS = [dict(type='gssl_mm.LocalFlip', axis=axis)
         for axis in ('horizontal', 'vertical')]
TRANSFORMS = {
    'lorot': (dict(tasks=[ROTATION]), (32, 32)),
    'all': (dict(tasks=[ROTATION, FLIPS[1], PERMUTATION]), (32, 32)),
    'all, 64': (dict(tasks=[ROTATION, FLIPS[0], PERMUTATION]), (64, 64)),
    'all, 33x31': (dict(tasks=[ROTATION, FLIPS[0], PERMUTATION],
                        odd_policy='corner_square'), (33, 31)),
    'lorot-i': (dict(tasks=['gssl_mm.LocalRotationImplicit'], region='box'),
                (32, 32)),
    'lorot-i, box an image': (dict(
        tasks=['gssl_mm.LocalRotationImplicit'], region='box', box='image'),
        (32, 32)),
    'rotation': (dict(tasks=['gssl_mm.GlobalRotation'], region='image'),
                 (32, 32)),
}
GATES = [dict(type='gssl_mm.UniformGate'), *(
    dict(type='gssl_mm.SoftmaxGate', grad=grad, reduce=reduce)
    for grad in ('learned', 'detached')
    for reduce in ('prob_mean', 'logit_mean', 'per_sample'))]
RECIPES = ('resnet32_cifar10lt', 'resnet32-learnedgate_cifar10lt',
           'resnet32-nogate_cifar10lt', 'resnet32-lorot_cifar10lt',
           'resnet32-ldamdrw_cifar10lt')
# float32 sums in another order, TensorFloat-32 convolutions
LOSS_TOLERANCE = 2e-2


@contextmanager
def no_wait(device: str) -> Iterator[None]:
    """Raise at whatever waits for the device inside."""
    if device != 'cuda':
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


def twice(run: Callable, device: str) -> None:
    """Run once to make tables and choose kernels, once without a wait."""
    run()
    with no_wait(device):
        run()


def check_transform(name: str, args: argparse.Namespace) -> str:
    """The transform on both devices, and without a wait."""
    arguments, size = TRANSFORMS[name]
    transform = PretextTransform(**arguments)
    images = torch.rand(args.images, 3, *size)
    moved = images.to(args.device)
    for seed in range(5):
        wanted, labels = transform(
            images, torch.Generator().manual_seed(seed))
        got, got_labels = transform(
            moved, torch.Generator().manual_seed(seed))
        require(torch.equal(got.cpu(), wanted), 'images differ')
        require(torch.equal(got_labels.cpu(), labels), 'labels differ')
    twice(lambda: transform(moved), args.device)
    return 'bit-equal'


def check_crop(mode: str, args: argparse.Namespace) -> str:
    """Crop and flip on both devices, and without a wait."""
    crop = RandomCropFlip(padding=4, padding_mode=mode)
    images = torch.randint(256, (args.images, 3, 32, 32), dtype=torch.uint8)
    moved = images.to(args.device)
    for seed in range(5):
        wanted = crop(images, torch.Generator().manual_seed(seed))
        got = crop(moved, torch.Generator().manual_seed(seed))
        require(torch.equal(got.cpu(), wanted), 'images differ')
    twice(lambda: crop(moved), args.device)
    return 'bit-equal'


def check_gate(number: int, args: argparse.Namespace) -> str:
    """Loss terms of a gate, forward and backward, without a wait."""
    heads = TaskHeads(64, dict(a=16, b=2, c=6), 'cosine').to(args.device)
    gate = MODELS.build(dict(GATES[number], in_channels=64, num_tasks=3))
    gate = gate.to(args.device)
    feats = torch.rand(args.images, 64, device=args.device, requires_grad=True)
    labels = torch.randint(2, (args.images, 3), device=args.device)

    def run() -> None:
        losses, hits = heads.losses(feats, labels)
        terms = gate(feats, losses).terms
        (terms.sum() + hits.float().sum()).backward()

    twice(run, args.device)
    return ''


def check_step(recipe: str, precision: str, args: argparse.Namespace) -> str:
    """A training step and its logged values, without a wait."""
    cfg = read_recipe(recipe, args)
    trainer = Trainer(cfg, args.device, precision)
    batch, buffer = random_batch(cfg), ScalarBuffer()

    def run() -> None:
        buffer.start(0).add(trainer.step(batch))

    # The first step leaves the labels on the device
    for _ in range(3):
        run()
    twice(run, args.device)
    if args.device != 'cuda':
        return 'waits are not counted on the CPU'
    waits = count_waits(trainer, random_batch(cfg))
    return f"{waits} wait(s) in a step from a loader's batch"


def count_waits(trainer: Trainer, batch: dict) -> int:
    """Waits of a step whose labels are on the CPU."""
    torch.cuda.set_sync_debug_mode('warn')
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            trainer.step(batch)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    return sum('synchroniz' in str(w.message) for w in caught)


def check_losses(args: argparse.Namespace) -> str:
    """Loss terms of the first step on both devices."""
    cfg, terms = read_recipe(RECIPES[0], args), []
    batch = random_batch(cfg)
    for device in ('cpu', args.device):
        logged = Trainer(cfg, device).step(copy.deepcopy(batch))
        terms.append({k: float(v.detach()) for k, v in logged.items()
                      if k.startswith(('loss', 'ce_'))})
    worst = max(abs(terms[1][k] - v) / abs(v) for k, v in terms[0].items())
    require(worst < LOSS_TOLERANCE, f'differ by {worst:.1e}: {terms}')
    return f'largest relative difference {worst:.1e}'


def require(good: bool, message: str) -> None:
    """Fail a check."""
    if not good:
        raise ArithmeticError(message)


def run_check(name: str, run: Callable[[], str]) -> dict:
    """Run one check and keep what it said."""
    try:
        detail, passed = run(), True
    except Exception:
        detail, passed = traceback.format_exc(limit=-3), False
    print(f'{"ok    " if passed else "FAILED"} {name}: {detail}', flush=True)
    return dict(name=name, passed=passed, detail=detail)


def all_checks(args: argparse.Namespace) -> Iterator[dict]:
    """Run everything."""
    for name in TRANSFORMS:
        yield run_check(f'transform {name}',
                        lambda n=name: check_transform(n, args))
    for mode in ('constant', 'reflect'):
        yield run_check(f'crop {mode}', lambda m=mode: check_crop(m, args))
    for number, gate in enumerate(GATES):
        yield run_check(f'gate {" ".join(gate.values())}',
                        lambda n=number: check_gate(n, args))
    for recipe in RECIPES:
        for precision in ('float32', 'bfloat16'):
            yield run_check(f'step {recipe}, {precision}',
                            lambda r=recipe, p=precision:
                            check_step(r, p, args))
    yield run_check('losses of a step', lambda: check_losses(args))


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    args = parser.parse_args(argv)
    args.images, args.batch_size, args.depth = 128, None, None
    if args.quick:
        args.images, args.batch_size, args.depth = 8, 8, 8
    prepare(args)
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the checks and write what they said."""
    args = parse_args(argv)
    with quiet_host():
        checks = list(all_checks(args))
    if args.out:
        write_json(args.out, dict(
            benchmark='gpu_checks', **machine_facts(args.device),
            checks=checks))
    failed = sum(not check['passed'] for check in checks)
    print(f'{len(checks) - failed} of {len(checks)} checks passed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(run_tool(main))
