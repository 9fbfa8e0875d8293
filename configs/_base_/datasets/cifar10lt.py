"""Long-tailed CIFAR-10: the bit-exact subset, ratio 0.01; full test set."""
_base_ = './cifar10.py'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='gssl_mm.LongTailedDataset',
        imbalance_ratio=0.01,
        dataset=_base_.train_dataloader.dataset))

val_evaluator = [
    dict(type='Accuracy', topk=(1, 5)),
    dict(type='gssl_mm.ShotAccuracy', per_class_csv=True)
]
test_evaluator = val_evaluator
