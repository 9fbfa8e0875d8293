"""Both streams and the teacher of a killed run end where they should."""
import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location(
    'kill_comparison', FOLDER / 'test_kill.py')
comparison = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(comparison)
TEACHER = dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=3, decay=0.9)


KILLS = [['iter', 2], ['iter', 5], ['write', 3], ['renamed', 2], ['iter', 4]]


def start(folder, **scenarios):
    """Every scenario in one child process."""
    comparison.start(scenarios, folder, 'semi_config.py')
    return folder


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    return start(tmp_path_factory.mktemp('kills'), plain={},
                 killed=dict(kills=[['iter', 5], ['write', 4]]))


def same_teacher(one, two):
    a, b = (comparison.newest(folder) for folder in (one, two))
    comparison.assert_same_tree(a['ema_state_dict'], b['ema_state_dict'])


def assert_same(one, two):
    comparison.assert_same_end(one, two)
    same_teacher(one, two)


def test_killed_and_resumed_equals_uninterrupted(runs):
    assert_same(runs / 'plain', runs / 'killed')


def test_comparison_sees_a_difference(runs):
    state = comparison.newest(runs / 'plain')
    raw = state['ema_state_dict']['module.backbone.conv1.weight']
    assert not raw.equal(state['state_dict']['backbone.conv1.weight'])
    raw[0, 0, 0, 0] += 1e-6
    with pytest.raises(AssertionError):
        comparison.assert_same_tree(
            state['ema_state_dict'],
            comparison.newest(runs / 'killed')['ema_state_dict'])


@pytest.mark.slow
def test_with_workers_and_accumulated_gradients(tmp_path):
    workers = {'train_dataloader.num_workers': 1,
               'custom_hooks': [dict(TEACHER, num_workers=1)]}
    accumulate = {'optim_wrapper.accumulative_counts': 2}
    start(tmp_path, plain={}, often=dict(kills=KILLS),
          workers=dict(options=workers, kills=[['iter', 8]]),
          accumulated=dict(options=accumulate),
          killed=dict(options=accumulate, kills=[['iter', 5], ['iter', 6]]))
    assert_same(tmp_path / 'plain', tmp_path / 'often')
    assert_same(tmp_path / 'plain', tmp_path / 'workers')
    assert_same(tmp_path / 'accumulated', tmp_path / 'killed')
    with pytest.raises(AssertionError):
        same_teacher(tmp_path / 'plain', tmp_path / 'accumulated')
