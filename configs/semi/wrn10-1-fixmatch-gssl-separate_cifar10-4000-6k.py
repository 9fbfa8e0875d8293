"""FixMatch with G-SSL of a narrow net, on copies (D16), CIFAR-10 with 4,000 labels.

Not a row of the papers: a size that trains on a CPU.
Measured here, top-1 of the last epoch (docs/results.md says what
the end of a run's name has that this config has not):
- 55.13 (1,024 iterations, batch 32; CIFAR-10 re-encoded as JPEG, shortened;
  seed 0; 0.33 h a run on AMD EPYC (AVX2), 1 thread(s)):
  wrn10-1-fixmatch-gssl-separate_cifar10-4000-6k-1k
Run: tools/run_seeds.sh configs/semi/wrn10-1-fixmatch-gssl-separate_cifar10-4000-6k.py 0

Shortened: 6,144 steps of 32 labelled and 128 unlabelled images, a quarter of the blocks and
half of the width; averages over 100 steps instead of 1,000. It shows that
things learn and proves nothing.
About 45 minutes on one core with bf16 (--amp).
"""
_base_ = './wrn10-1-fixmatch-gssl_cifar10-4000-6k.py'

model = dict(data_preprocessor=dict(ssl_views='separate'))
