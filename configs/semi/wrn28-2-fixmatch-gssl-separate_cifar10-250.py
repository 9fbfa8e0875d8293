"""FixMatch with G-SSL on copies (D16), CIFAR-10 with 250 labels.

Not a row of the G-SSL paper.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-gssl-separate_cifar10-250.py 0
"""
_base_ = './wrn28-2-fixmatch-gssl-separate_cifar10-4000.py'

train_dataloader = dict(dataset=dict(num_labeled=250))
