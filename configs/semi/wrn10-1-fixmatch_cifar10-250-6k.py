"""FixMatch of a narrow net, CIFAR-10 with 250 labels.

Not a row of the papers: a size that trains on a CPU.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 38.93 (1,024 iterations, batch 32; CIFAR-10 re-encoded as JPEG, shortened;
  seed 0; 0.35 h a run on AMD EPYC (AVX2), 1 thread(s)):
  wrn10-1-fixmatch_cifar10-250-6k-1k
Run: tools/run_seeds.sh configs/semi/wrn10-1-fixmatch_cifar10-250-6k.py 0

Shortened, see its sibling with 4,000 labels.
"""
_base_ = './wrn10-1-fixmatch_cifar10-4000-6k.py'

train_dataloader = dict(dataset=dict(num_labeled=250))
