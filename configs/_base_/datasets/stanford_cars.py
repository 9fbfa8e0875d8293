"""Stanford Cars; pipelines as for CUB."""
_base_ = './cub.py'

source = dict(type='StanfordCars', data_root='data/stanford_cars')
train_dataloader = dict(dataset=source)
val_dataloader = dict(dataset=source)
test_dataloader = dict(dataset=source)
