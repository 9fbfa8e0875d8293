"""What every experiment may ask of the components, all of them together."""
import pytest
import torch
from contract_config import (
    check_resumed,
    contract_config,
    losses,
    shapes_loader,
    train,
)
from mmengine.runner import Runner

from gssl_mm.models.pretext import PretextTask
from gssl_mm.registry import TASK_UTILS

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]


PARTS = dict(
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='gssl_mm.CIFARResNet', depth=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='gssl_mm.GatedMultiTaskHead', in_channels=64, tasks=TASKS,
            primary=dict(type='gssl_mm.CosineClsHead', num_classes=10,
                         in_channels=64, loss=dict(type='gssl_mm.LDAMLoss')),
            gate=dict(type='gssl_mm.SoftmaxGate'), task_head='cosine'),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3, augment=[dict(type='gssl_mm.RandomCropFlip')],
            pretext=dict(tasks=TASKS), memory_format='channels_last')),
    train_dataloader=shapes_loader(
        'train', 10, 10, type='gssl_mm.LongTailedDataset',
        imbalance_ratio=0.1),
    val_dataloader=shapes_loader('test', 2, 20),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
    custom_hooks=[dict(type='gssl_mm.LDAMHook', drw_epoch=1)])


def config(work_dir, **changes):
    return contract_config(work_dir, PARTS, **changes)


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    return train(config(tmp_path_factory.mktemp('plain')))


def test_pretext_terms_are_logged_each_iteration(plain):
    for key in ('loss_lorot', 'ce_flip', 'gate_perm', 'acc_lorot'):
        values, _ = plain.message_hub.get_scalar(f'train/{key}').data
        assert len(values) == plain.iter


def test_the_same_config_gives_the_same_weights(plain, tmp_path):
    again = train(config(tmp_path / 'again'))
    assert torch.equal(losses(plain), losses(again))
    for a, b in zip(plain.model.parameters(), again.model.parameters(),
                    strict=True):
        assert torch.equal(a, b)


def test_resumed_equals_uninterrupted(plain, tmp_path):
    check_resumed(config(tmp_path / 'half'), plain)


def test_bf16_autocast_stays_near_float32(plain, tmp_path):
    amp = train(config(tmp_path / 'amp',
                       **{'optim_wrapper.type': 'gssl_mm.AmpOptimWrapper'}))
    first = losses(plain)[:2], losses(amp)[:2]
    assert torch.allclose(*first, rtol=0.01)
    assert not torch.equal(*first)


def test_ema_weights_are_validated_and_saved(tmp_path):
    cfg = config(tmp_path / 'ema')
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.1))
    train(cfg)
    state = torch.load(f'{cfg.work_dir}/epoch_2.pth', weights_only=False)
    weight = 'head.task_heads.lorot.weight'
    assert not torch.equal(state['state_dict'][weight],
                           state['ema_state_dict'][f'module.{weight}'])


def test_gradient_accumulation_steps_half_as_often(plain, tmp_path):
    cfg = config(tmp_path / 'accumulate',
                 **{'optim_wrapper.accumulative_counts': 2})
    runner = Runner.from_cfg(cfg)
    steps = []
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    step = runner.optim_wrapper.optimizer.step
    runner.optim_wrapper.optimizer.step = lambda *a: (steps.append(1), step(*a))
    runner.train()
    assert runner.iter == plain.iter
    assert len(steps) == -(-runner.iter // 2)


@pytest.mark.slow
def test_compiled_equals_eager(plain, tmp_path):
    compiled = train(config(tmp_path / 'compiled', compile=True))
    assert torch.allclose(losses(plain)[:2], losses(compiled)[:2], rtol=1e-3)


@TASK_UTILS.register_module()
class LocalInvert(PretextTask):
    """A user's task: is the quadrant a negative?"""

    name = 'invert'
    num_params = num_classes = 2

    def apply(self, patches, param):
        return torch.where(param[:, None, None, None] > 0, -patches, patches)


def test_a_new_task_is_one_class_and_a_name_in_a_config(tmp_path):
    tasks = [dict(type='gssl_mm.LocalInvert'),
             dict(type='gssl_mm.LocalRotation')]
    cfg = config(tmp_path / 'task')
    cfg.model.head.tasks = cfg.model.data_preprocessor.pretext.tasks = tasks
    runner = train(cfg)
    values, _ = runner.message_hub.get_scalar('train/ce_invert').data
    assert values[-1] < values[0]
    assert runner.model.head.task_heads['invert'].out_features == 2


def test_head_and_data_must_have_the_same_classes(tmp_path):
    cfg = config(tmp_path / 'classes')
    cfg.model.head.primary.num_classes = 7
    cfg.default_hooks.data_check = dict(type='gssl_mm.DataCheckHook')
    with pytest.raises(ValueError, match='num_classes=7.*10 classes'):
        train(cfg)


def test_no_classes_are_no_other_number(tmp_path):
    cfg = config(tmp_path / 'none')
    cfg.train_cfg.max_epochs = 1
    cfg.default_hooks.data_check = dict(type='gssl_mm.DataCheckHook')
    runner = Runner.from_cfg(cfg)
    runner.model.backbone.num_classes = -1
    runner.train()


def test_a_last_batch_of_one_image_works(tmp_path):
    cfg = config(tmp_path / 'single')
    size = 31
    cfg.train_dataloader.dataset = dict(
        cfg.train_dataloader.dataset.dataset, indices=list(range(size)))
    cfg.train_dataloader.batch_size = 10
    cfg.custom_hooks = [dict(type='gssl_mm.LDAMHook', class_counts=[5] * 10)]
    runner = train(cfg)
    assert runner.iter == 8


def test_one_value_a_channel_is_refused_by_batch_norm(tmp_path):
    cfg = config(tmp_path / 'value')
    model = Runner.from_cfg(cfg).model.train()
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        model.backbone(torch.rand(1, 3, 4, 4))
