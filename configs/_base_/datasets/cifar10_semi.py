"""CIFAR-10 with 4,000 labels: 400 a class by split seed 0; full test set.

FixMatchHook adds the unlabelled images: all 50,000 of the same dataset.
"""
_base_ = './cifar10.py'

train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        _delete_=True,
        type='gssl_mm.SemiSupervisedSplit',
        num_labeled=4000,
        split_seed=0,
        # All views are made on the batch, in the data preprocessor
        dataset=_base_.train_dataloader.dataset),
    sampler=dict(_delete_=True, type='gssl_mm.StreamSampler'))
