"""WRN-28-2 and FixMatch, with RandAugment in the ranges of the port that
reproduces its numbers best.
"""
_base_ = './wrn28-2_semi.py'

model = dict(
    type='gssl_mm.FixMatchClassifier',
    threshold=0.95,
    unlabeled_weight=1.,
    data_preprocessor=dict(
        type='gssl_mm.SemiSupervisedDataPreprocessor',
        views=dict(
            weak=[_base_.crop],
            # Two operations and a square of 16 pixels
            strong=[
                _base_.crop,
                dict(type='gssl_mm.BatchRandAugment', variant='kk')
            ])))
custom_hooks = [
    dict(type='gssl_mm.FixMatchHook', unlabeled_ratio=7, decay=0.999)
]
