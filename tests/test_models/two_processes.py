"""Train a model for some steps; as one process or under torchrun.

What the scripts share that :func:`conftest.one_and_two` starts: a script calls
:func:`main` with a function that builds a model from its name.
"""
import sys
from contextlib import contextmanager

import torch
import torch.distributed as dist
from mmengine.logging import MessageHub
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample


@contextmanager
def gloo_group(distributed):
    """This process's rank and the number of processes.

    They leave together: one that is gone may end the other by a signal.
    """
    if not distributed:
        yield 0, 1
        return
    dist.init_process_group('gloo')
    yield dist.get_rank(), dist.get_world_size()
    dist.barrier()
    dist.destroy_process_group()


def train(model, rank, world, steps, batch, lr):
    """Train this process's share of each batch.

    Returns the total loss of each step (averaged over processes), the gradients
    of the first step and the final weights.
    """
    if dist.is_initialized():
        model = MMDistributedDataParallel(
            model, device_ids=None, broadcast_buffers=False)
    optimizer = OptimWrapper(torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr, 0.9))
    draws = torch.Generator().manual_seed(1)
    totals, grads = [], {}
    for step in range(steps):
        MessageHub.get_current_instance().runtime_info.update(iter=step, seed=0)
        images = torch.randint(256, (batch, 3, 16, 16), generator=draws)
        labels = torch.randint(4, (batch, ), generator=draws)
        part = slice(rank, None, world)
        logs = model.train_step(
            dict(inputs=images[part].to(torch.uint8),
                 data_samples=[DataSample().set_gt_label(int(label))
                               for label in labels[part]]), optimizer)
        total = logs['loss'].detach()
        if world > 1:
            dist.all_reduce(total)
        totals.append(float(total) / world)
        if step == 0:
            grads = gradients(model, optimizer.optimizer)
    plain = getattr(model, 'module', model)
    return dict(totals=totals, grads=grads, weights=plain.state_dict())


def gradients(model, optimizer):
    """Those of the first step, which its momentum buffers still hold."""
    return {name.removeprefix('module.'):
            optimizer.state[param]['momentum_buffer'].clone()
            for name, param in model.named_parameters()
            if 'momentum_buffer' in optimizer.state[param]}


def main(build, names, steps, batch=16, lr=0.05):
    """Train each model and save what came out of it."""
    out, distributed = sys.argv[1], len(sys.argv) > 2
    torch.set_num_threads(1)
    results = {}
    with (gloo_group(distributed) as (rank, world),
          DefaultScope.overwrite_default_scope('mmpretrain')):
        for name in names:
            torch.manual_seed(0)
            results[name] = train(build(name), rank, world, steps, batch, lr)
        if rank == 0:
            torch.save(results, out)
