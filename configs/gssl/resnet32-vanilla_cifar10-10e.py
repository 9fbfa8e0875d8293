"""Cross-entropy alone on balanced CIFAR-10, 10 epochs.

For Figures 7 and 8 on a CPU. Measured here: docs/results.md.
Run: tools/run_seeds.sh configs/gssl/resnet32-vanilla_cifar10-10e.py 0

The 200-epoch schedule scaled down (decays at 5 and 8): a smoke test, not
evidence.
"""
_base_ = './resnet32-vanilla_cifar10.py'

param_scheduler = [
    dict(type='MultiStepLR', milestones=[5, 8], gamma=0.1, by_epoch=True)
]
train_cfg = dict(max_epochs=10)
