"""The processes of a scaling benchmark, and the model of more of them."""
import json
import os
from argparse import Namespace
from typing import Any

import torch.distributed as dist
from bench_common import clock
from bench_training import Trainer, random_batch, read_recipe
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import DefaultScope
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import (
    allreduce_hook,
)

RECIPE = 'resnet32_cifar10lt'


def build_trainer(images: int, args: Any) -> tuple:
    """A trainer of the recipe and a batch of so many images."""
    cfg = read_recipe(RECIPE, Namespace(depth=args.depth, batch_size=images))
    return (Trainer(cfg, args.device, args.precision), random_batch(cfg))


class Counter:
    """Counts what a step reduces over processes.

    Attributes:
        gradient_bytes (int): In DDP's buckets.
        other_bytes (int): In all other reductions.
        calls (int): Reductions of both kinds.
    """

    def __init__(self) -> None:
        self.gradient_bytes = self.other_bytes = self.calls = 0
        self._inside = False
        self._reduce = dist.all_reduce
        dist.all_reduce = self._count_other

    def _count_other(self, tensor, *args, **kwargs):
        if not self._inside:
            self.other_bytes += tensor.numel() * tensor.element_size()
            self.calls += 1
        return self._reduce(tensor, *args, **kwargs)

    def hook(self, state: Any, bucket: dist.GradBucket):
        """Communication hook of DDP that counts a bucket and reduces it."""
        buffer = bucket.buffer()
        self.gradient_bytes += buffer.numel() * buffer.element_size()
        self.calls += 1
        self._inside = True
        try:
            return allreduce_hook(state, bucket)
        finally:
            self._inside = False

    def take(self) -> dict:
        """Return the counts and stop counting what is not in a bucket."""
        dist.all_reduce = self._reduce
        return dict(gradient_bytes=self.gradient_bytes,
                    other_bytes=self.other_bytes, calls=self.calls)


def distribute(trainer: Trainer) -> Counter:
    """Wrap the model as in a distributed run."""
    counter = Counter()
    model = MMDistributedDataParallel(
        trainer.model, device_ids=None, broadcast_buffers=False)
    model.register_comm_hook(None, counter.hook)
    trainer.run = model.train_step
    return counter


def child(options: str, source: str, sink: str) -> int:
    """One process of a group: a block of steps a turn."""
    options = json.loads(options)
    args = Namespace(device='cpu', **options)
    MMLogger.get_current_instance().setLevel('WARNING')
    several = int(os.environ['WORLD_SIZE']) > 1
    if several:
        dist.init_process_group('gloo')
    reader = os.fdopen(int(source), 'rb', buffering=0)
    with (DefaultScope.overwrite_default_scope('mmpretrain'),
          os.fdopen(int(sink), 'w', buffering=1) as reports):

        def say(event: str, **metrics: float) -> None:
            reports.write(f'{json.dumps(dict(event=event, metrics=metrics))}\n')

        trainer, batch = build_trainer(args.images, args)
        counter = distribute(trainer) if several else None
        # DDP lays its buckets out anew after the first step
        trainer.step(batch)
        facts = {}
        if counter:
            counter.gradient_bytes = counter.other_bytes = counter.calls = 0
            trainer.step(batch)
            facts = counter.take()
        say('ready', **facts)
        while reader.readline():
            if several:
                dist.barrier()
            say('block', step_s=clock(
                lambda: trainer.step(batch), args.steps, 'cpu'))
    if several:
        dist.destroy_process_group()
    return 0


def step_of(compute: dict[int, float], images: int) -> float:
    """Seconds of a step of one process, linear between measured sizes.

    Below the smallest size a step is as long as at the smallest.
    """
    sizes = sorted(compute)
    if images <= sizes[0]:
        return compute[sizes[0]]
    for low, high in zip(sizes, sizes[1:], strict=False):
        if images <= high:
            part = (images - low) / (high - low)
            return compute[low] + part * (compute[high] - compute[low])
    return compute[sizes[-1]] * images / sizes[-1]


def reduction_time(size: int, reduced: dict, args: Any) -> float:
    """Seconds of a ring reduction over so many GPUs.

    Args:
        size (int): GPUs.
        reduced (dict): Bytes and calls of a step.
        args (Any): ``inside``, ``between`` in GB/s, ``latency`` in
            microseconds, ``node`` in GPUs.
    """
    total = reduced['gradient_bytes'] + reduced['other_bytes']
    speed = 1e9 * (args.inside if size <= args.node else args.between)
    hops = 2 * (size - 1)
    return hops / size * total / speed + (
        hops * args.latency * 1e-6 * reduced['calls'])


def model_curve(compute: dict[int, float], reduced: dict,
                args: Any) -> list[dict]:
    """Step times for each number of GPUs, with the batch shared and not.

    Args:
        compute (dict[int, float]): Images to seconds of one process.
        reduced (dict): What a step reduces.
        args (Any): Options of the network, ``gpus``.
    """
    batch, rows = max(compute), []
    one = step_of(compute, batch)
    for scaling in ('weak', 'strong'):
        for size in args.gpus:
            each = batch if scaling == 'weak' else batch // size
            if each < 1:
                continue
            work = step_of(compute, each)
            wait = reduction_time(size, reduced, args) if size > 1 else 0.
            ends = dict(slow=work + wait, fast=max(work, wait))
            row = dict(scaling=scaling, gpus=size, images_each=each,
                       reduction_ms=1e3 * wait)
            for end, seconds in ends.items():
                speed = each * size / seconds
                row.update({f'ms_{end}': 1e3 * seconds,
                            f'images_per_s_{end}': speed,
                            f'efficiency_{end}': speed * one / batch / size})
            rows.append(row)
    return rows
