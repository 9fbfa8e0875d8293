"""What every run may ask of adversarial training."""
import copy
from pathlib import Path

import pytest
import torch
from contract_config import (
    check_resumed,
    contract_config,
    losses,
    shapes_loader,
    train,
)

SCRIPT = Path(__file__).with_name('run_attacked_steps.py')
KINDS = ['plain', 'prob_mean', 'logit_mean', 'per_sample', 'rotations',
         'trades']
TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]


@pytest.mark.slow
def test_two_processes_train_what_one_trains(one_and_two,
                                             assert_equal_training):
    one, two = one_and_two(SCRIPT)
    for kind in KINDS:
        assert_equal_training(one[kind], two[kind])


PARTS = dict(
    model=dict(
        type='gssl_mm.AdversarialClassifier',
        backbone=dict(type='gssl_mm.WideResNet', depth=10, dropout=0.2),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='gssl_mm.GatedMultiTaskHead', in_channels=64, tasks=TASKS,
            primary=dict(type='LinearClsHead', num_classes=10, in_channels=64),
            gate=dict(type='gssl_mm.SoftmaxGate')),
        attack=dict(type='gssl_mm.PGD', num_steps=2),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[0.] * 3,
            std=[255.] * 3, augment=[dict(type='gssl_mm.RandomCropFlip')],
            pretext=dict(tasks=TASKS), memory_format='channels_last')),
    train_dataloader=shapes_loader('train', 3, 8),
    val_dataloader=shapes_loader('test', 1, 10),
    param_scheduler=[
        dict(type='gssl_mm.StepAheadCosineLR', by_epoch=False, end=8)],
    optim_wrapper=dict(optimizer=dict(
        type='SGD', lr=0.05, momentum=0.9, nesterov=True)))


def config(work_dir, **changes):
    return contract_config(work_dir, PARTS, **changes)


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    from mmengine.registry import DefaultScope
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return train(config(tmp_path_factory.mktemp('plain')))


def test_resumed_equals_uninterrupted(plain, tmp_path):
    check_resumed(config(tmp_path / 'half'), plain)


def test_ema_accumulation_and_bfloat16_together(plain, tmp_path):
    cfg = config(tmp_path / 'all', **{
        'optim_wrapper.type': 'gssl_mm.AmpOptimWrapper',
        'optim_wrapper.accumulative_counts': 2,
        'custom_hooks': [dict(type='EMAHook', momentum=0.1)]})
    runner = train(cfg)
    assert torch.allclose(losses(runner)[:1], losses(plain)[:1], rtol=0.02)
    state = torch.load(f'{cfg.work_dir}/epoch_2.pth', weights_only=False)
    weight = 'backbone.conv1.weight'
    assert not torch.equal(state['state_dict'][weight],
                           state['ema_state_dict'][f'module.{weight}'])


def test_the_ordinary_classifier_of_the_same_weights(plain):
    from mmpretrain.registry import MODELS
    cfg = copy.deepcopy(plain.cfg.model)
    cfg.pop('attack')
    cfg.type = 'ImageClassifier'
    cfg.data_preprocessor.update(plain.model.plain_preprocessor())
    model = MODELS.build(cfg).eval()
    model.load_state_dict(plain.model.state_dict())
    plain.model.eval()
    data = dict(inputs=torch.randint(256, (2, 3, 16, 16)).byte())
    logits = [m(m.data_preprocessor(data, False)['inputs'])
              for m in (model, plain.model)]
    assert torch.allclose(*logits, atol=1e-5)


@pytest.mark.slow
def test_compiled_equals_eager(tmp_path):
    """Traced and differentiated, without the minutes of code generation."""
    change = {'model.backbone.dropout': 0., 'train_cfg.max_epochs': 1}
    compiled = train(config(tmp_path / 'compiled', **change,
                            compile=dict(backend='aot_eager')))
    eager = train(config(tmp_path / 'eager', **change))
    assert torch.allclose(losses(eager)[:2], losses(compiled)[:2], rtol=1e-2)
