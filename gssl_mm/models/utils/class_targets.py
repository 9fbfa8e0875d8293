"""What a batch of data samples says about its classes."""
import torch
from mmpretrain.structures import DataSample
from torch import Tensor


def class_targets(data_samples: list[DataSample],
                  device: torch.device) -> Tensor:
    """Labels int64 ``(N,)``, or shares ``(N, K)`` of a mixed batch."""
    if 'gt_score' in data_samples[0]:
        found = torch.stack([sample.gt_score for sample in data_samples])
    else:
        found = torch.cat([sample.gt_label for sample in data_samples])
    return found.to(device)


__all__ = ['class_targets']
