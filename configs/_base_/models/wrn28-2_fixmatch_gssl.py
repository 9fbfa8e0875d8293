"""FixMatch with the three gated pretext tasks on all views.

lambda is the paper's 0.3 (D15); views are transformed in place (D16); the gate
is detached (D1) on the mean of the probabilities (D2), flips are horizontal.
"""
_base_ = './wrn28-2_fixmatch.py'

tasks = [
    dict(type='gssl_mm.LocalRotation'),
    dict(type='gssl_mm.LocalFlip', axis='horizontal'),
    dict(type='gssl_mm.LocalChannelPermutation')
]
model = dict(
    head=dict(
        _delete_=True,
        type='gssl_mm.GatedMultiTaskHead',
        primary=_base_.model.head,
        tasks=tasks,
        in_channels=128,
        gate=dict(
            type='gssl_mm.SoftmaxGate', grad='detached', reduce='prob_mean'),
        loss_weight=0.3),
    data_preprocessor=dict(
        pretext=dict(tasks=tasks), ssl_views='inplace_all'))
