"""What is published is the plain classifier, and computes the same."""
import copy
import hashlib

import mmpretrain
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from mmpretrain.models import ImageClassifier, LinearClsHead
from mmpretrain.registry import MODELS

from gssl_mm.deploy import PublishError, publish_model
from gssl_mm.engine import ArchitectureMismatchError, safe_load
from gssl_mm.models.heads import CosineClsHead, JointLabelHead

HEADS = {
    'plain': LinearClsHead, 'gated': LinearClsHead,
    'ldam-cosine': CosineClsHead, 'ft-single': LinearClsHead,
    'ft-aggregated': JointLabelHead, 'ft-distilled': LinearClsHead,
    'ft-gated': CosineClsHead, 'sla-aggregated': JointLabelHead,
    'adversarial': LinearClsHead}
# Parts are dropped, no operation is another: rounding by alignment alone
EXACT = ('plain', 'gated', 'ldam-cosine', 'ft-aggregated', 'sla-aggregated')


def logits(model, images):
    data = dict(inputs=images.permute(0, 3, 1, 2))
    with torch.no_grad():
        return model(
            model.data_preprocessor(data, False)['inputs'].contiguous())


@pytest.mark.parametrize('kind', HEADS)
def test_the_published_classifier_has_the_same_logits(
        kind, trained, images, tmp_path):
    run = trained(kind)
    done = publish_model(run.cfg, run.checkpoint, tmp_path / 'out' / kind)
    # By the host alone, as a user would
    plain = mmpretrain.get_model(str(done.config), str(done.weights))
    assert type(plain) is ImageClassifier
    assert type(plain.head) is HEADS[kind]
    batch = images(6)
    wanted, got = run.logits(batch), logits(plain, batch)
    assert wanted.std() > 0.01
    bound = 1e-6 if kind in EXACT else 1e-5
    torch.testing.assert_close(got, wanted, rtol=bound, atol=bound)
    assert plain._dataset_meta['classes'] == ('a', 'b', 'c', 'd', 'e')


def test_only_the_classifier_is_in_the_file(trained, tmp_path):
    run = trained('gated')
    done = publish_model(run.cfg, run.checkpoint, tmp_path / 'g.pth')
    content = safe_load(done.weights)
    assert set(content) == {'meta', 'state_dict'}
    assert not [key for key in content['state_dict'] if any(
        word in key for word in ('task_heads', 'gate', 'primary', 'loss'))]
    text = done.config.read_text()
    assert 'train_dataloader' not in text and 'pretext' not in text
    size = run.checkpoint.stat().st_size
    assert done.weights.stat().st_size < size


def test_the_name_is_the_hash_of_the_content(trained, tmp_path):
    run = trained('ldam-cosine')
    before = copy.deepcopy(run.cfg.to_dict())
    first = publish_model(run.cfg, run.checkpoint, tmp_path / 'a' / 'm')
    again = publish_model(run.cfg, run.checkpoint, tmp_path / 'b' / 'm.pth')
    digest = hashlib.sha256(first.weights.read_bytes()).hexdigest()
    assert first.weights.name == f'm-{digest[:8]}.pth' == again.weights.name
    assert first.config.name == f'm-{digest[:8]}.py'
    assert run.cfg.to_dict() == before


def test_a_published_config_can_be_published_and_tested(trained, tmp_path):
    run = trained('gated')
    first = publish_model(run.cfg, run.checkpoint, tmp_path / 'a')
    cfg = Config.fromfile(first.config)
    again = publish_model(cfg, first.weights, tmp_path / 'b')
    one, two = (safe_load(f.weights)['state_dict'] for f in (first, again))
    assert all(torch.equal(one[key], two[key]) for key in one)
    cfg.work_dir, cfg.load_from = str(tmp_path / 'w'), str(first.weights)
    metrics = Runner.from_cfg(cfg).test()
    assert 0 <= metrics['accuracy/top1'] <= 100


@pytest.mark.parametrize('inference, head', [
    ('single', LinearClsHead), ('aggregated', JointLabelHead)])
def test_the_inference_can_be_chosen(inference, head, trained, images,
                                     tmp_path):
    run = trained('ft-distilled')
    done = publish_model(run.cfg, run.checkpoint, tmp_path / 'm', inference)
    plain = mmpretrain.get_model(str(done.config), str(done.weights))
    assert type(plain.head) is head
    assert not [k for k in plain.state_dict() if 'student' in k]
    model = copy.deepcopy(run.model)
    model.head.inference = inference
    batch = images(4)
    wanted = logits(model, batch)
    torch.testing.assert_close(logits(plain, batch), wanted, rtol=1e-5,
                               atol=1e-5)
    assert not torch.allclose(wanted, run.logits(batch), atol=1e-3)


@pytest.fixture(scope='module')
def averaged(trained, tmp_path_factory):
    """A run with an ``EMAHook``: config, checkpoint, hook and model."""
    folder = tmp_path_factory.mktemp('ema')
    cfg = copy.deepcopy(trained('gated').cfg)
    cfg.train_dataloader = copy.deepcopy(cfg.test_dataloader)
    cfg.merge_from_dict(dict(
        work_dir=str(folder), default_scope='mmpretrain',
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.5)),
        default_hooks=dict(checkpoint=dict(type='gssl_mm.CheckpointHook')),
        custom_hooks=[dict(type='EMAHook', momentum=0.3)]))
    cfg.pop('test_cfg')
    keep = {k: cfg.pop(k) for k in ('test_dataloader', 'test_evaluator')}
    runner = Runner.from_cfg(cfg)
    runner.train()
    hook, = (h for h in runner.hooks if isinstance(h, EMAHook))
    cfg.merge_from_dict(keep)
    cfg.custom_hooks = []
    return (cfg, folder / 'epoch_2.pth', hook.ema_model.module.eval(),
            runner.model.eval())


@pytest.mark.parametrize('ema', [True, False])
def test_averaged_weights_are_taken_where_there_are_some(
        ema, averaged, images, tmp_path):
    cfg, checkpoint, average, last = averaged
    batch = images(4)
    done = publish_model(cfg, checkpoint, tmp_path / 'm', ema=ema)
    assert done.ema is ema
    plain = mmpretrain.get_model(str(done.config), str(done.weights))
    of_average, of_last = logits(average, batch), logits(last, batch)
    assert not torch.allclose(of_average, of_last, atol=1e-2)
    torch.testing.assert_close(
        logits(plain, batch), of_average if ema else of_last, rtol=1e-5,
        atol=1e-5)


def test_what_does_not_fit_is_refused(trained, tmp_path):
    gated, joint = trained('gated'), trained('ft-aggregated')
    with pytest.raises(ArchitectureMismatchError, match='ft-aggregated'):
        publish_model(gated.cfg, joint.checkpoint, tmp_path / 'm')
    with pytest.raises(PublishError, match='only a JointLabelHead'):
        publish_model(gated.cfg, gated.checkpoint, tmp_path / 'm', 'single')
    with pytest.raises(PublishError, match="'single', 'aggregated'"):
        publish_model(joint.cfg, joint.checkpoint, tmp_path / 'm',
                      'distilled')
    assert not list(tmp_path.iterdir())


def test_a_classifier_that_does_more_is_refused(trained, tmp_path):
    @MODELS.register_module(force=True)
    class Doubling(ImageClassifier):

        def extract_feat(self, inputs, stage='neck'):
            return super().extract_feat(2 * inputs, stage)

    run = trained('gated')
    cfg = copy.deepcopy(run.cfg)
    cfg.model.type = 'Doubling'
    with pytest.raises(PublishError, match='Doubling'):
        publish_model(cfg, run.checkpoint, tmp_path / 'm')
