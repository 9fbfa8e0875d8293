"""CIFAR-10."""
train_dataloader = dict(
    batch_size=128,
    # A batch is one indexing operation, cheaper than a copy from a worker
    num_workers=0,
    dataset=dict(
        type='gssl_mm.CIFAR10',
        data_root='data/cifar10',
        split='train',
        # Crop and flip happen on the batch, in the data preprocessor
        pipeline=[dict(type='PackInputs')]),
    sampler=dict(type='DefaultSampler', shuffle=True))

val_dataloader = dict(
    batch_size=500,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        type='gssl_mm.CIFAR10',
        data_root='data/cifar10',
        split='test',
        test_mode=True,
        # Files that are not the data set's are brought to its order and size
        pipeline=[
            dict(type='gssl_mm.RGBImage', size=32),
            dict(type='PackInputs')
        ]),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [dict(type='Accuracy', topk=(1, 5))]

test_dataloader = val_dataloader
test_evaluator = val_evaluator
