"""CIFAR-10 with 4,000 labels: 400 a class by split seed 0; full test set.

FixMatchHook adds the unlabelled images: all 50,000 of the same dataset.
"""
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        type='gssl_mm.SemiSupervisedSplit',
        num_labeled=4000,
        split_seed=0,
        dataset=dict(
            type='gssl_mm.CIFAR10',
            data_root='data/cifar10',
            split='train',
            # All views are made on the batch, in the data preprocessor
            pipeline=[dict(type='PackInputs')])),
    sampler=dict(type='gssl_mm.StreamSampler'))

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
