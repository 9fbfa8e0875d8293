"""Long-tailed built-in shapes: 800 to 12 training images a class, no files."""
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    dataset=dict(
        type='gssl_mm.LongTailedDataset',
        imbalance_ratio=0.015,
        dataset=dict(
            type='gssl_mm.SyntheticShapes',
            num_per_class=800,
            split='train',
            pipeline=[dict(type='PackInputs')])),
    sampler=dict(type='DefaultSampler', shuffle=True))

val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(
        type='gssl_mm.SyntheticShapes',
        num_per_class=100,
        split='test',
        test_mode=True,
        # Files that are not the data set's are brought to its order and size
        pipeline=[
            dict(type='gssl_mm.RGBImage', size=32),
            dict(type='PackInputs')
        ]),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True)
]

test_dataloader = val_dataloader
test_evaluator = val_evaluator
