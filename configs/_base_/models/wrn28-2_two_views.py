"""What the baselines of FixMatch share: two weak views, as many unlabelled
images as labelled ones.
"""
_base_ = './wrn28-2_semi.py'

model = dict(
    data_preprocessor=dict(
        type='gssl_mm.SemiSupervisedDataPreprocessor',
        views=dict(weak=[_base_.crop], other=[_base_.crop])))
custom_hooks = [
    dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=1, decay=0.999)
]
