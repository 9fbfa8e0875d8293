"""Stanford Dogs, official split; pipelines as for CUB."""
_base_ = './cub.py'

source = dict(type='gssl_mm.StanfordDogs', data_root='data/stanford_dogs')
train_dataloader = dict(dataset=source)
val_dataloader = dict(dataset=source)
test_dataloader = dict(dataset=source)
