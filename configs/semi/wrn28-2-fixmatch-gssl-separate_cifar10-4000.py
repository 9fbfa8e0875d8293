"""FixMatch with G-SSL on copies, so that FixMatch sees clean views.

G-SSL paper, Table 4, in another reading of "all data" (D16): 94.95.
Measured here: not yet.
Run: tools/run_seeds.sh configs/semi/wrn28-2-fixmatch-gssl-separate_cifar10-4000.py 0

The 64 labelled images and the 448 weak views are transformed once more, for
the pretext tasks alone: 1,472 images a step.
"""
_base_ = './wrn28-2-fixmatch-gssl_cifar10-4000.py'

model = dict(data_preprocessor=dict(ssl_views='separate'))
