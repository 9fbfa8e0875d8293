"""Time PGD: training steps, and evaluation against torchattacks.

    python tools/benchmarks/pgd.py --threads 2 --check
    python tools/benchmarks/pgd.py --checkpoint CKPT --data-root data/cifar10

The network is that of ``--config``, of configs/adversarial. Parts:

- train: a step of PGD-10 training over a plain one of the same network; at most
  10 times in float32, and less time than that under bfloat16 autocast, where it
  is also at most 10 times the plain one.
- equal: adversarial images of this package and of torchattacks from the same
  start, PGD-20 in float64: equal to 1e-5. In float32: robust accuracies within
  0.2 points.
- speed: PGD-20 of all images. Like for like (float32, contiguous): at least 1.0
  times the images a second of torchattacks. As shipped: at least 1.3 times,
  with channels-last memory, bfloat16 gradients and no attack on images that
  are wrong without one, each of which is also shown on its own; a gain whose
  worst-case accuracy is not within 0.2 points is left out.

Without a checkpoint the weights are random and the network's own predictions
serve as labels. Run it on an idle machine. torchattacks is not a dependency of
this package: pip install torchattacks.
"""
import argparse
import copy
import sys
from pathlib import Path

import torch
from bench_attacks import (
    EPS,
    STEP,
    STEPS,
    Evaluation,
    TheirEvaluation,
    accuracy,
    load_problem,
    recipe,
    their_start,
    theirs,
)
from bench_common import (
    Promise,
    clock,
    interleave,
    machine_facts,
    make_parser,
    paired_ratio,
    prepare,
    quiet_host,
    report,
    take_turns,
    timing_row,
)
from bench_training import Trainer, random_batch

from gssl_mm.models.attacks import PGD
from gssl_mm.tooling.errors import run_tool

PARTS = ('train', 'equal', 'speed')
TRAIN_LIMIT, LIKE_LIMIT, SHIPPED_LIMIT = 10., 1., 1.3
POINTS, EXACT = 0.2, 1e-5
# name: (channels-last, bfloat16 gradients, skips what is wrong already)
GAINS = {'channels_last': (True, False, False), 'bf16': (False, True, False),
         'skipping': (False, False, True)}


def time_training(args: argparse.Namespace) -> tuple[list, list]:
    """PGD-10 steps and plain ones, in both precisions."""
    attacked = recipe(args)
    attacked.model.attack.num_steps = 10
    plain = copy.deepcopy(attacked)
    plain.model.attack = None
    batch, runs = random_batch(attacked), {}
    for precision in ('float32', 'bfloat16'):
        for name, cfg in (('plain', plain), ('PGD-10', attacked)):
            trainer = Trainer(cfg, args.device, precision)
            runs[f'{name}, {precision}'] = lambda t=trainer: t.step(
                copy.deepcopy(batch))
    times = take_turns(runs, args)
    base, images = times['plain, float32'], len(batch['inputs'])
    rows = [timing_row('train', name, found, images, base)
            for name, found in times.items()]
    ratio = paired_ratio(times['PGD-10, float32'], base)
    return rows, [
        Promise('train: PGD-10 step over plain step, float32', ratio,
                TRAIN_LIMIT),
        Promise('train: PGD-10 step in bfloat16 over that in float32',
                paired_ratio(times['PGD-10, bfloat16'],
                             times['PGD-10, float32']), 1.),
        Promise('train: PGD-10 step over plain step, bfloat16',
                paired_ratio(times['PGD-10, bfloat16'],
                             times['plain, bfloat16']), TRAIN_LIMIT)]


def compare_images(args: argparse.Namespace) -> tuple[list, list]:
    """The same start in both implementations."""
    model, batches, labels = load_problem(args)
    exact = copy.deepcopy(model).double()
    ours = PGD(EPS, STEP, STEPS)
    images = batches[0][:args.exact_images].double()
    goal = labels[0][:args.exact_images]
    start = their_start(images, 1)
    torch.manual_seed(1)
    apart = float((theirs(exact)(images, goal)
                   - ours(exact, images, goal, noise=start)).abs().max())
    found: dict[str, list] = dict(ours=[], theirs=[])
    for seed, (part, goal) in enumerate(zip(batches, labels, strict=True)):
        start = their_start(part, seed)
        torch.manual_seed(seed)
        found['theirs'].append(theirs(model)(part, goal))
        found['ours'].append(ours(model, part, goal, noise=start))
    scores = {k: accuracy(model, v, labels) for k, v in found.items()}
    print(f'robust accuracy, float32: {scores}')
    return [], [
        Promise('equal: largest difference of a pixel, float64', apart, EXACT),
        Promise('equal: difference of accuracies in points, float32',
                abs(scores['ours'] - scores['theirs']), POINTS)]


def time_evaluation(args: argparse.Namespace) -> tuple[list, list]:
    """torchattacks, this package like for like, each gain, and all of them."""
    problem = load_problem(args)
    total = sum(len(y) for y in problem[2])
    runs: dict[str, Evaluation] = {'torchattacks': TheirEvaluation(problem),
                                   'like for like': Evaluation(problem)}
    runs.update({n: Evaluation(problem, *on) for n, on in GAINS.items()})
    for run in runs.values():
        run.run()
    scores = {n: 100 * run.right / total for n, run in runs.items()}
    kept = [n for n in GAINS
            if abs(scores[n] - scores['like for like']) <= POINTS]
    shipped = [any(GAINS[n][k] for n in kept) for k in range(3)]
    runs['as shipped'] = Evaluation(problem, *shipped)
    runs['as shipped'].run()
    scores['as shipped'] = 100 * runs['as shipped'].right / total
    print(f'worst-case accuracy: {scores}; as shipped has {kept}')
    times = interleave({
        name: lambda r=run: clock(r.run, 1, args.device)
        for name, run in runs.items()}, args.rounds)
    base = times['torchattacks']
    rows = [dict(timing_row('speed', name, found, total, base),
                 accuracy=scores[name], gains=kept if name == 'as shipped'
                 else [name] if name in GAINS else [])
            for name, found in times.items()]
    return rows, [
        Promise('speed: like for like', paired_ratio(
            base, times['like for like']), LIKE_LIMIT, '>='),
        Promise('speed: as shipped', paired_ratio(
            base, times['as shipped']), SHIPPED_LIMIT, '>='),
        Promise('speed: difference of accuracies in points', abs(
            scores['as shipped'] - scores['like for like']), POINTS)]


RUN = dict(train=time_training, equal=compare_images, speed=time_evaluation)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--parts', nargs='+', choices=PARTS,
                        default=list(PARTS))
    parser.add_argument('--config', default='wrn40-2-pgd10_cifar10',
                        help='of configs/adversarial, without .py')
    parser.add_argument('--checkpoint', type=Path, help='weights of the config')
    parser.add_argument('--data-root', help='folder of CIFAR-10')
    parser.add_argument('--batch-size', type=int,
                        help='of training (default: the config\'s)')
    parser.add_argument('--eval-batch', type=int, help='default: 200')
    parser.add_argument('--images', type=int, help='to attack (default: 1000)')
    parser.add_argument('--exact-images', type=int,
                        help='to compare in float64 (default: 32)')
    parser.add_argument('--depth', type=int, help='default: the config\'s')
    parser.add_argument('--widen-factor', type=int,
                        help='default: the config\'s')
    parser.add_argument('--warmup', type=int, help='rounds thrown away')
    args = parser.parse_args(argv)
    quick = dict(rounds=1, steps=1, warmup=0, batch_size=4, eval_batch=4,
                 images=8, exact_images=2, depth=10, widen_factor=1)
    full = dict(rounds=5, steps=1, warmup=1, eval_batch=200, images=1000,
                exact_images=32)
    prepare(args, **(quick if args.quick else full))
    return args


def main(argv: list[str] | None = None) -> int:
    """Time, compare and report."""
    args = parse_args(argv)
    facts = machine_facts(args.device)
    rows, promises = [], []
    with quiet_host(tuned=True):
        for part in args.parts:
            more_rows, more_promises = RUN[part](args)
            rows += more_rows
            promises += more_promises
    return report('pgd', args, facts, rows, promises)


if __name__ == '__main__':
    sys.exit(run_tool(main))
