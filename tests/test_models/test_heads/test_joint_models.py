"""Joint heads in whole models: exported, gated, traced and compiled."""
import copy

import pytest
import torch
from mmpretrain.structures import DataSample

from gssl_mm.models.heads import to_plain_state_dict
from gssl_mm.registry import MODELS

K = 4
LDAM = dict(type='gssl_mm.LDAMLoss', class_counts=[9, 5, 3, 1])


def small_model(inference='single', **kwargs):
    return MODELS.build(dict(
        type='ImageClassifier',
        backbone=dict(type='gssl_mm.CIFARResNet', depth=8, base_channels=4,
                      out_indices=(1, 2)),
        neck=dict(type='gssl_mm.FeatureMaskNeck'),
        head=dict(type='gssl_mm.JointLabelHead', num_classes=K,
                  in_channels=(8, 16), inference=inference), **kwargs))


PLAIN = dict(
    type='ImageClassifier',
    backbone=dict(type='gssl_mm.CIFARResNet', depth=8, base_channels=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=K, in_channels=16))


def test_a_model_exports_to_a_plain_one():
    model, plain = small_model().eval(), MODELS.build(PLAIN).eval()
    plain.load_state_dict(to_plain_state_dict(model.state_dict()))
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(plain(images), model(images))
    assert (sum(p.numel() for p in plain.parameters())
            == sum(p.numel() for p in MODELS.build(PLAIN).parameters()))
    with pytest.raises(ValueError, match='no student'):
        to_plain_state_dict(model.state_dict(), 'distilled')
    with pytest.raises(ValueError, match='aggregation'):
        to_plain_state_dict(model.state_dict(), 'aggregated')
    with pytest.raises(ValueError, match='found 0'):
        to_plain_state_dict(plain.state_dict())


TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip')]


def gated_model(wrap=None, **joint):
    backbone = dict(type='gssl_mm.CIFARResNet', depth=8, base_channels=4,
                    out_indices=(1, 2))
    neck = dict(type='gssl_mm.FeatureMaskNeck')
    if wrap:
        backbone = dict(type='gssl_mm.RotatedBackbone', backbone=backbone)
        neck.update(stacked=4)
    return MODELS.build(dict(
        type='ImageClassifier', backbone=backbone, neck=neck,
        head=dict(
            type='gssl_mm.GatedMultiTaskHead', tasks=TASKS, in_channels=16,
            gate=dict(type='gssl_mm.SoftmaxGate'), task_head='cosine',
            primary=dict(
                type='gssl_mm.JointLabelHead', num_classes=K, head='cosine',
                in_channels=(8, 16), loss=LDAM,
                num_rotations=4 if wrap else 1, **joint)),
        data_preprocessor=dict(
            type='gssl_mm.PretextDataPreprocessor', mean=[120.] * 3,
            std=[60.] * 3, pretext=dict(tasks=TASKS))))


def raw_batch(n=4):
    return dict(
        inputs=torch.randint(256, (n, 3, 16, 16)).to(torch.uint8),
        data_samples=[DataSample().set_gt_label(i % K) for i in range(n)])


@pytest.mark.parametrize('wrap', [False, True])
def test_both_papers_in_one_head(wrap):
    model = gated_model(wrap, inference='distilled')
    data = model.data_preprocessor(raw_batch(), True)
    losses = model(**data, mode='loss')
    assert {key for key in losses if 'loss' in key} == {
        'loss_cls', 'loss_earlier', 'loss_student', 'loss_distill',
        'loss_lorot', 'loss_flip'}
    total, _ = model.parse_losses(losses)
    total.backward()
    for name, param in model.named_parameters():
        assert param.grad is not None and param.grad.isfinite().all(), name
    model.eval()
    data = model.data_preprocessor(raw_batch(), False)
    predictions = model(**data, mode='predict')
    assert len(predictions) == 4
    assert 'pred_label_aggregated' in predictions[0]
    assert model(data['inputs']).shape == (4, K)


def test_a_gated_head_of_the_host_reads_the_plain_feature():
    cfg = dict(
        type='gssl_mm.GatedMultiTaskHead', tasks=TASKS, in_channels=16,
        primary=dict(type='LinearClsHead', num_classes=K, in_channels=16))
    head = MODELS.build(cfg)
    plain, masked = torch.randn(3, 8), torch.randn(3, 5, 16)
    samples = raw_batch(3)['data_samples']
    for sample in samples:
        sample.set_field(torch.tensor([1, 0]), 'pretext_labels')
    both = (plain, masked)
    assert torch.equal(head(both), head.primary.fc(masked[:, 0]))
    torch.testing.assert_close(
        head.loss(both, samples), head.loss((masked[:, 0], ), samples))
    found = head.predict(both, samples)[2].pred_score
    torch.testing.assert_close(found, head(both)[2].softmax(0))


def test_rotated_and_gated_model_exports_to_a_plain_one():
    model = gated_model(True).eval()
    cfg = copy.deepcopy(PLAIN)
    cfg['head']['type'] = 'gssl_mm.CosineClsHead'
    plain = MODELS.build(cfg).eval()
    plain.load_state_dict(to_plain_state_dict(model.state_dict()))
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(plain(images), model(images))


# Shapes are constants of a trace but for the batch, which is what is tested
@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('inference', ['single', 'aggregated', 'distilled'])
def test_traces_for_any_batch_and_compiles_whole(inference):
    model = small_model(inference).eval()
    rotated = MODELS.build(dict(
        type='ImageClassifier',
        backbone=dict(
            type='gssl_mm.RotatedBackbone', backbone=dict(
                type='gssl_mm.StageMaskBackbone', after_stage=2,
                backbone=PLAIN['backbone'])),
        neck=dict(type='gssl_mm.FeatureMaskNeck', masks=None, stacked=20),
        head=dict(
            type='gssl_mm.JointLabelHead', num_classes=K, in_channels=16,
            num_rotations=4, inference=inference))).eval()
    images = torch.randn(3, 3, 16, 16)
    for net in (model, rotated):
        with torch.no_grad():
            expected = net(images)
            traced = torch.jit.trace(net, images[:2], check_trace=False)
            torch.testing.assert_close(traced(images), expected)
            torch._dynamo.reset()
            compiled = torch.compile(net, backend='eager', fullgraph=True)
            torch.testing.assert_close(compiled(images), expected)


@pytest.mark.parametrize('masks', [False, True])
def test_sla_from_images_to_loss(masks):
    """Rotation k under mask j of class y has the label (4 y + k) 5 + j."""
    backbone = MODELS.build(dict(PLAIN['backbone'])).eval()
    count = 5 if masks else 1
    model = MODELS.build(dict(
        type='ImageClassifier',
        backbone=dict(type='gssl_mm.RotatedBackbone', backbone=backbone),
        neck=dict(type='gssl_mm.FeatureMaskNeck', stacked=4,
                  masks='quadrants' if masks else None),
        head=dict(type='gssl_mm.JointLabelHead', num_classes=K, in_channels=16,
                  num_masks=count - 1, num_rotations=4))).eval()
    n = 6
    images = torch.randn(n, 3, 16, 16)
    total = 0.
    for i, image in enumerate(images):
        for k in range(4):
            feat = backbone(image.rot90(k, (1, 2))[None])[0][0]
            for j in range(count):
                masked = feat.clone()
                rows = slice(0, 2) if j in (1, 2) else slice(2, 4)
                cols = slice(0, 2) if j in (1, 3) else slice(2, 4)
                if j:
                    masked[:, rows, cols] = 0
                logits = model.head.fc(masked.mean((1, 2)))
                label = (4 * (i % K) + k) * count + j
                total = total + logits.exp().sum().log() - logits[label]
    samples = raw_batch(n)['data_samples']
    loss = model(images, samples, mode='loss')['loss_cls']
    torch.testing.assert_close(loss, total / (n * 4 * count))


@pytest.mark.parametrize('inference', ['single', 'aggregated', 'distilled'])
@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
def test_a_model_of_another_precision(dtype, inference):
    model = gated_model(inference=inference)
    data = model.data_preprocessor(raw_batch(), True)
    expected = model(**data, mode='loss')
    model.to(dtype)
    found = model(data['inputs'].to(dtype), data['data_samples'], mode='loss')
    rtol = 1e-4 if dtype == torch.float64 else 0.1
    for key in (k for k in expected if 'loss' in k):
        torch.testing.assert_close(
            found[key].double(), expected[key].double(), rtol=rtol, atol=0.1
            if rtol > 0.01 else 1e-5)
    sum(v for k, v in found.items() if 'loss' in k).backward()
    assert all(p.grad.dtype == dtype for p in model.parameters())
    assert model.eval()(data['inputs'].to(dtype)).dtype == dtype


def test_double_precision_is_kept_up_to_the_logits():
    model = small_model('aggregated').double().eval()
    images = torch.randn(2, 3, 19, 19, dtype=torch.float64)
    for masks in ('quadrants', [[[0, 1], [1, 1]]]):
        feat = model.backbone(images)[0]
        neck = MODELS.build(dict(
            type='gssl_mm.FeatureMaskNeck', masks=masks)).double()
        torch.testing.assert_close(
            neck((feat, ))[0][:, 0], feat.mean((2, 3)), rtol=0, atol=1e-14)
    assert model(images).dtype == torch.float64
