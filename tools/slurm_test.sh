#!/usr/bin/env bash
# Usage: tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options of
#        tools/test.py]
#
# Environment: GPUS=8 GPUS_PER_NODE=min(GPUS, 8) CPUS_PER_TASK=5 SRUN_ARGS=''
# NNODES (default: srun's choice) MASTER_ADDR (default: the first node)
# PORT (default: 29500) CPU_ONLY=1 asks for no GPUs PYTHON (default: python)
#
# Example: GPUS=8 tools/slurm_test.sh gpu gssl \
#              configs/gssl/resnet32_cifar100lt.py work_dirs/gssl/epoch_300.pth
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_common.sh"

[ $# -ge 4 ] || usage
partition=$1 job=$2 config=$3 checkpoint=$4
shift 4
run_slurm "$partition" "$job" test.py "$config" "$checkpoint" "$@"
