#!/usr/bin/env bash
# Usage: tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of tools/test.py]
#
# Tests with GPUS processes on each node, by torchrun; without a GPU the
# processes share the cores and talk by gloo.
#
# Environment: NNODES=1 NODE_RANK=0 MASTER_ADDR=127.0.0.1 PORT=29500
# OMP_NUM_THREADS (default: cores / GPUS) PYTHON (default: python)
#
# Example: tools/dist_test.sh weights/gssl_demo-d5e23227.py \
#              weights/gssl_demo-d5e23227.pth 2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_common.sh"

[ $# -ge 3 ] || usage
is_count "$3" || usage "GPUS must be a count of processes, got '$3'"
config=$1 checkpoint=$2 gpus=$3
shift 3
run_distributed test.py "$gpus" "$config" "$checkpoint" "$@"
