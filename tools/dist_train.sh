#!/usr/bin/env bash
# Usage: tools/dist_train.sh CONFIG GPUS [options of tools/train.py]
#
# Trains with GPUS processes on each node, by torchrun; without a GPU the
# processes share the cores and talk by gloo. The config's total_batch_size is
# divided among all processes.
#
# Environment: NNODES=1 NODE_RANK=0 MASTER_ADDR=127.0.0.1 PORT=29500
# OMP_NUM_THREADS (default: cores / GPUS) PYTHON (default: python)
#
# Example: tools/dist_train.sh configs/gssl/demo_gssl_synthetic.py 2 \
#              --cfg-options train_cfg.max_epochs=1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_common.sh"

[ $# -ge 2 ] || usage
is_count "$2" || usage "GPUS must be a count of processes, got '$2'"
config=$1 gpus=$2
shift 2
run_distributed train.py "$gpus" "$config" "$@"
