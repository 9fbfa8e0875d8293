"""Learning rates of all updates of FixMatch."""
import copy
import math

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS


def build(steps, lr=0.03, **changes):
    optimizer = torch.optim.SGD([
        dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=lr),
        dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=2 * lr)], lr)
    return optimizer, PARAM_SCHEDULERS.build(dict(dict(
        type='gssl_mm.FixMatchCosineLR', by_epoch=False, end=steps,
        optimizer=optimizer), **changes))


@pytest.mark.parametrize('changes', [{}, dict(angle=0.5)])
def test_every_step_also_when_resumed(changes):
    """lr(k) = lr cos(pi angle k / K), k counted from 0."""
    steps, angle = 300, changes.get('angle', 7 / 16)
    optimizer, scheduler = build(steps, **changes)
    for k in range(steps):
        expected = 0.03 * math.cos(math.pi * angle * k / steps)
        first, second = (group['lr'] for group in optimizer.param_groups)
        assert first == pytest.approx(expected, rel=1e-12), k
        assert second == pytest.approx(2 * expected, rel=1e-12)
        optimizer.step()
        state = copy.deepcopy(scheduler.state_dict())
        scheduler.step()
        scheduler.load_state_dict(state)
        scheduler.step()


def test_the_end_of_the_published_schedule():
    optimizer, scheduler = build(2**20)
    scheduler.last_step = 2**20
    assert scheduler._get_value()[0] == pytest.approx(0.005853, abs=1e-6)


def test_angle_out_of_range():
    for angle in (0., 0.6):
        with pytest.raises(ValueError, match=r'angle must be in \(0, 0.5\]'):
            build(5, angle=angle)
