"""What feature masks cost: step time and saved activations (Table 5).

    python tools/benchmarks/feature_mask_cost.py --threads 2 --check \
        --out results/benchmarks/feature_mask_cost.json

A step is the model's own ``train_step`` on 128 random images of 32x32 in
ResNet-110 of configs/feature_mask: the baseline, maps masked after stage 1, 2
and 3, SLA's four rotations, and ours. Memory is what autograd saves for the
backward pass of one step, each storage counted once, without weights; on a GPU
the peak of the allocator stands beside it. Both are ratios to the baseline,
with which each variant takes turns.

The promise is that of ours: at most 1.03 in time and 1.02 in memory. Run it on
an idle machine; after stage 1 and SLA need 20 GB for 128 images.
"""
import argparse
import os
import sys
from pathlib import Path

import torch
from bench_common import (
    Promise,
    machine_facts,
    make_parser,
    prepare,
    quiet_host,
    report,
    take_turns,
    timing_row,
)
from mmengine.optim import build_optim_wrapper
from mmpretrain.structures import DataSample

import gssl_mm.models  # noqa: F401  registers what configs name
from gssl_mm.registry import MODELS
from gssl_mm.tooling.config_file import read_config
from gssl_mm.tooling.errors import run_tool

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'feature_mask'
# name: (config, the paper's seconds a step, the paper's MB), on a Tesla M40
VARIANTS = {
    'baseline': ('resnet110-ce_cifar100', 0.179, 2768),
    'after stage 3': ('resnet110-ft-after3_cifar100', 0.185, 2815),
    'after stage 2': ('resnet110-ft-after2_cifar100', 0.293, 4403),
    'after stage 1': ('resnet110-ft-after1_cifar100', 0.470, 7474),
    'SLA': ('resnet110-sla_cifar100', 0.641, 9746),
    'ours': ('resnet110-ft_cifar100', 0.200, 3048),
}
TIME_LIMIT, MEMORY_LIMIT = 1.03, 1.02


class Stepper:
    """A model, its optimizer and a batch that it is trained on.

    Args:
        config (str): Name of a leaf of configs/feature_mask.
        args (Namespace): Options of this benchmark.
    """

    def __init__(self, config: str, args: argparse.Namespace) -> None:
        cfg = read_config(str(CONFIGS / f'{config}.py'))
        backbone = cfg.model.backbone
        backbone.get('backbone', backbone).depth = args.depth
        self.device = args.device
        model = MODELS.build(cfg.model).to(args.device)
        self.model = model.to(memory_format=torch.channels_last).train()
        self.optimizer = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.images = torch.randint(
            256, (args.batch_size, 3, 32, 32), dtype=torch.uint8)
        self.labels = [i % 100 for i in range(args.batch_size)]

    def step(self) -> None:
        """Train on the batch once."""
        samples = [DataSample().set_gt_label(label) for label in self.labels]
        self.model.train_step(
            dict(inputs=self.images, data_samples=samples), self.optimizer)

    def saved_bytes(self) -> int:
        """Bytes that autograd saves in the forward pass of one step."""
        known = {t.untyped_storage().data_ptr()
                 for t in (*self.model.parameters(), *self.model.buffers())}
        saved: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in known:
                saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        # The optimizer's step is outside the graph and saves nothing
        with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
            self.step()
        return sum(saved.values())

    def peak_bytes(self) -> int | None:
        """Peak of the GPU's allocator in a step, beyond what stays."""
        if self.device != 'cuda':
            return None
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        self.step()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before


def measure_memory(steppers: dict[str, Stepper]) -> dict[str, dict]:
    """Saved bytes and the GPU's peak of each variant, and their ratios."""
    for stepper in steppers.values():
        # The optimizer's buffers exist after the first step
        stepper.step()
    rows = {name: dict(saved_mib=stepper.saved_bytes() / 2**20,
                       peak_mib=(stepper.peak_bytes() or 0) / 2**20 or None)
            for name, stepper in steppers.items()}
    base = rows['baseline']
    for name, row in rows.items():
        row['saved_ratio'] = row['saved_mib'] / base['saved_mib']
        if row['peak_mib']:
            row['peak_ratio'] = row['peak_mib'] / base['peak_mib']
        _, seconds, megabytes = VARIANTS[name]
        row['paper_time_ratio'] = seconds / VARIANTS['baseline'][1]
        row['paper_memory_ratio'] = megabytes / VARIANTS['baseline'][2]
    return rows


def time_pairs(steppers: dict[str, Stepper],
               args: argparse.Namespace) -> list[dict]:
    """Time each variant in turn with the baseline alone.

    What a large variant gives back to the system, the next one has to ask for
    again: beside it even equal steps are not equally fast.
    """
    rows = []
    for name, stepper in steppers.items():
        # The baseline itself is timed by itself
        times = take_turns(
            {'baseline': steppers['baseline'].step, name: stepper.step}, args)
        row = timing_row('Table 5', name, times[name], args.batch_size,
                         times['baseline'])
        # The turns of each pair are its own
        rows.append(dict(row, base_ms=[1e3 * t for t in times['baseline']]))
    return rows


def show_memory(rows: dict[str, dict]) -> str:
    """Markdown table of the memory beside the paper's ratios."""
    lines = ['| variant | saved MiB | ratio | GPU peak ratio | paper memory | '
             'paper time |', '|---|---:|---:|---:|---:|---:|']
    for name, row in rows.items():
        peak = f'{row["peak_ratio"]:.3f}' if 'peak_ratio' in row else ''
        lines.append(
            f'| {name} | {row["saved_mib"]:.1f} | {row["saved_ratio"]:.3f} | '
            f'{peak} | {row["paper_memory_ratio"]:.3f} | '
            f'{row["paper_time_ratio"]:.3f} |')
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('--depth', type=int, help='9n+2 (default: 110)')
    parser.add_argument('--batch-size', type=int, help='images (default: 128)')
    parser.add_argument('--variants', nargs='+', choices=list(VARIANTS),
                        default=list(VARIANTS), help='the baseline always is')
    args = parser.parse_args()
    quick = dict(rounds=2, steps=1, depth=11, batch_size=4)
    full = dict(rounds=7, steps=2, depth=110, batch_size=128)
    prepare(args, **(quick if args.quick else full))
    return args


def main() -> int:
    """Measure, print, write."""
    args = parse_args()
    names = [n for n in VARIANTS if n == 'baseline' or n in args.variants]
    facts = machine_facts(args.device)
    with quiet_host(tuned=True):
        steppers = {name: Stepper(VARIANTS[name][0], args) for name in names}
        memory = measure_memory(steppers)
        rows = [dict(row, **memory[row['variant']])
                for row in time_pairs(steppers, args)]
    print(f'{show_memory(memory)}\n')
    ours = next((row for row in rows if row['variant'] == 'ours'), None)
    promises = [] if ours is None else [
        Promise('ours: time over the baseline', ours['time_ratio'], TIME_LIMIT),
        Promise('ours: saved tensors over the baseline', ours['saved_ratio'],
                MEMORY_LIMIT)]
    return report('feature_mask_cost', args, facts, rows, promises)


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    sys.exit(run_tool(main))
