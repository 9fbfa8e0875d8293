"""Plain classifier of demo_gssl_synthetic.py; its weights are gssl_demo-d5e23227.pth."""
data_preprocessor = dict(
    mean=[
        125.307,
        122.961,
        113.8575,
    ],
    std=[
        51.5865,
        50.847,
        51.255,
    ],
    to_rgb=False,
    type='ClsDataPreprocessor')
default_scope = 'mmpretrain'
model = dict(
    backbone=dict(depth=8, type='gssl_mm.CIFARResNet'),
    head=dict(in_channels=64, num_classes=10, type='gssl_mm.CosineClsHead'),
    neck=dict(type='GlobalAveragePooling'),
    type='ImageClassifier')
test_cfg = dict()
test_dataloader = dict(
    batch_size=500,
    dataset=dict(
        num_per_class=100,
        pipeline=[
            dict(size=32, type='gssl_mm.RGBImage'),
            dict(type='PackInputs'),
        ],
        split='test',
        test_mode=True,
        type='gssl_mm.SyntheticShapes'),
    num_workers=0,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(topk=(
        1,
        5,
    ), type='Accuracy'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(size=32, type='gssl_mm.RGBImage'),
    dict(type='PackInputs'),
]
