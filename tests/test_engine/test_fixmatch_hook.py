"""The unlabelled stream and the averaged weights in a run."""
import copy
import json
from statistics import median

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from gssl_mm.datasets.errors import EmptyUnlabeledError, TooFewLabelsError
from gssl_mm.engine import FixMatchHook, TeacherHook, safe_load

CONFIG = 'semi_config.py'


class Watch(Hook):
    """Keeps batches, weights and what the evaluation sees."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.batches, self.weights, self.validated = [], [], []

    def before_train(self, runner):
        self.weights.append(copy.deepcopy(runner.model.state_dict()))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.batches.append(data_batch['unlabeled'])

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self.weights.append(copy.deepcopy(runner.model.state_dict()))

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        self.validated.append((runner.iter, copy.deepcopy(
            runner.model.state_dict())))


@pytest.fixture
def watched(toy_runner):

    def train(**options):
        runner = toy_runner(CONFIG, **options)
        watch = Watch()
        runner.register_hook(watch)
        runner.train()
        return runner, watch

    return train


def naive_average(weights, decay=0.9):
    average = {k: v.double() for k, v in weights[0].items()}
    for state in weights[1:]:
        average = {k: decay * v + (1 - decay) * state[k].double()
                   for k, v in average.items()}
    return average


def test_stream_teacher_and_results(watched, tmp_path):
    runner, watch = watched()
    # Every 44 images once before any comes again
    rows = torch.cat([batch['inputs'] for batch in watch.batches])
    assert len(watch.batches) == 14
    assert all(len(b['inputs']) == 15 for b in watch.batches)
    images = [row.numpy().tobytes() for row in rows]
    known = {image.numpy().tobytes() for image in torch.from_numpy(
        runner.train_dataloader.dataset.dataset.images).permute(0, 3, 1, 2
                                                                ).contiguous()}
    assert set(images[:44]) == known == set(images[44:88])
    assert images[:44] != images[44:88]
    # The average starts at the initial weights, and is what is validated
    names = [n for n, p in runner.model.named_parameters() if p.requires_grad]
    step, seen = watch.validated[0]
    assert step == 4
    average = naive_average(watch.weights[:5])
    for name in names:
        torch.testing.assert_close(
            seen[name].double(), average[name], rtol=1e-4, atol=1e-6)
    # Running statistics are the model's own
    norm = 'backbone.norm.running_mean'
    assert torch.equal(seen[norm], watch.weights[4][norm])
    # And the model goes on with its own weights
    assert torch.equal(watch.weights[-1]['head.primary.fc.weight'],
                       runner.model.state_dict()['head.primary.fc.weight'])
    state = safe_load(tmp_path / 'work' / 'iter_14.pth')
    average = naive_average(watch.weights)
    for name in names:
        torch.testing.assert_close(
            state['state_dict'][name].double(), average[name], rtol=1e-4,
            atol=1e-6)
        assert torch.equal(state['ema_state_dict'][f'module.{name}'],
                           watch.weights[-1][name])
    check_results(tmp_path, runner)


def check_results(tmp_path, runner):
    result = json.loads((tmp_path / 'work' / 'result.json').read_text())
    top1 = result['metrics']['accuracy/top1']
    # After 4, 8, 12 and the last of 14 iterations
    assert len(top1['history']) == 4 and top1['last_epoch'] == 14
    assert top1['best'] == max(top1['history'])
    assert top1['median_last20'] == median(top1['history'])
    assert {'mask_rate', 'acc_pseudo', 'gate_lorot', 'loss_unlabeled'} <= set(
        result['train_last'])
    values = runner.message_hub.get_scalar('train/mask_rate').data[0]
    assert len(values) == 14 and 0 < values.max() <= 1


def test_a_run_may_start_from_weights(watched, toy_runner, tmp_path):
    watched(work_dir='first')
    runner = toy_runner(CONFIG, work_dir='second', load_from=str(
        tmp_path / 'first' / 'iter_14.pth'), **{'train_cfg.max_iters': 1})
    watch = Watch()
    runner.register_hook(watch)
    runner.train()
    assert runner.iter == 1
    state = safe_load(tmp_path / 'first' / 'iter_14.pth')['state_dict']
    weight = 'backbone.conv1.weight'
    assert torch.equal(watch.weights[0][weight], state[weight])
    torch.testing.assert_close(
        watch.validated[0][1][weight].double(),
        naive_average(watch.weights)[weight], rtol=1e-5, atol=1e-7)


def test_the_average_moves_with_the_optimizer(watched):
    runner, watch = watched(**{'optim_wrapper.accumulative_counts': 2,
                               'train_cfg.max_iters': 4})
    hook = next(h for h in runner.hooks if isinstance(h, TeacherHook))
    name = 'backbone.conv1.weight'
    expected = naive_average(watch.weights[::2])[name]
    found = dict(hook.ema_model.module.named_parameters())[name]
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-7)


@pytest.fixture
def other_model(toy_config):
    """A runner of the toy config with another classifier."""

    def build(kind, views):
        cfg = toy_config(CONFIG, **{'train_cfg.max_iters': 3})
        cfg.model.type = kind
        for key in ('threshold', 'unlabeled_weight'):
            cfg.model.pop(key)
        cfg.model.data_preprocessor.views = views
        if not views:
            cfg.custom_hooks = [dict(type='gssl_mm.TeacherHook', decay=0.9)]
        cfg.experiment_name = kind
        return Runner.from_cfg(cfg)

    return build


def test_mean_teacher_is_taught_by_the_average(other_model):
    runner = other_model('gssl_mm.MeanTeacherClassifier', dict(a=[], b=[]))
    hook = next(h for h in runner.hooks if isinstance(h, FixMatchHook))
    runner.train()
    assert runner.model._teacher[0] is hook.ema_model.module
    values = runner.message_hub.get_scalar('train/mse_unlabeled').data[0]
    # Equal weights, but other transformations of the two views
    assert len(values) == 3 and values[0] > 0


def test_supervised_with_averaged_weights(other_model, tmp_path):
    runner = other_model('ImageClassifier', None)
    runner.train()
    assert 'train/loss_unlabeled' not in runner.message_hub.log_scalars
    state = safe_load(tmp_path / 'work' / 'iter_3.pth')
    assert 'module.head.primary.fc.weight' in state['ema_state_dict']


def test_a_model_that_ignores_unlabelled_images_is_refused(other_model):
    with pytest.raises(ValueError, match='ImageClassifier does not learn'):
        other_model('ImageClassifier', dict(a=[], b=[])).train()


@pytest.mark.parametrize('ratio', [0, -1, 0.5])
def test_an_unlabelled_batch_of_zero(ratio):
    with pytest.raises(EmptyUnlabeledError, match=f'{ratio} gives no'):
        FixMatchHook(unlabeled_ratio=ratio)


@pytest.mark.parametrize('decay', [0., 1., -0.1])
def test_decay_out_of_range(decay):
    with pytest.raises(ValueError, match=r'decay must be in \(0, 1\)'):
        TeacherHook(decay=decay)


def test_what_a_run_refuses(toy_runner):
    plain = dict(type='gssl_mm.SyntheticShapes',
                 num_per_class=4, num_classes=4, image_size=8, split='train',
                 pipeline=[dict(type='PackInputs')])
    with pytest.raises(ValueError, match='a SyntheticShapes. Wrap it'):
        toy_runner(CONFIG, train_dataloader=dict(
            dataset=dict(plain, _delete_=True))).train()
    with pytest.raises(TooFewLabelsError, match='num_labeled=3'):
        toy_runner(CONFIG, **{
            'train_dataloader.dataset.num_labeled': 3}).train()
    finite = dict(sampler=dict(type='DefaultSampler', _delete_=True))
    with pytest.raises(ValueError, match='gives batches of several'):
        toy_runner(CONFIG, train_dataloader=finite).train()
    toy_runner(CONFIG, train_dataloader=dict(finite, drop_last=True)).train()
    everything = {'train_dataloader.dataset.num_labeled': 44,
                  'train_dataloader.dataset.include_labeled': False}
    with pytest.raises(EmptyUnlabeledError, match='has no sample'):
        toy_runner(CONFIG, **everything).train()
    with pytest.raises(EmptyUnlabeledError, match='Add custom_hooks'):
        toy_runner(CONFIG, custom_hooks=[]).train()
    other = dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=2, dataset=dict(
        plain, num_per_class=9))
    runner = toy_runner(CONFIG, custom_hooks=[other], **{
        'train_cfg.max_iters': 2})
    runner.train()
    assert runner.iter == 2


def test_plain_weights_are_the_teachers_too(toy_runner, tmp_path):
    weights = toy_runner(CONFIG).model.state_dict()
    torch.save(weights, tmp_path / 'weights.pth')
    runner = toy_runner(CONFIG, load_from=str(tmp_path / 'weights.pth'))
    runner.call_hook('before_run')
    runner.load_or_resume()
    hook = next(h for h in runner.hooks if isinstance(h, FixMatchHook))
    for name, value in hook.ema_model.module.state_dict().items():
        assert torch.equal(value, weights[name])


@pytest.mark.slow
def test_compiled_equals_eager(toy_runner):
    losses = []
    for compiled in (False, dict(backend='aot_eager')):
        runner = toy_runner(CONFIG, compile=compiled, **{
            'train_cfg.max_iters': 3})
        runner.train()
        losses.append(torch.as_tensor(
            runner.message_hub.get_scalar('train/loss').data[0]))
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-3)
