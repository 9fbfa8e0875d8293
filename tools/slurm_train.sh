#!/usr/bin/env bash
# Usage: tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of
#        tools/train.py]
#
# Environment: GPUS=8 GPUS_PER_NODE=min(GPUS, 8) CPUS_PER_TASK=5 SRUN_ARGS=''
# NNODES (default: srun's choice) MASTER_ADDR (default: the first node)
# PORT (default: 29500) CPU_ONLY=1 asks for no GPUs PYTHON (default: python)
#
# Example: GPUS=8 tools/slurm_train.sh gpu gssl \
#              configs/gssl/resnet32_cifar100lt.py work_dirs/gssl
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_common.sh"

[ $# -ge 4 ] || usage
partition=$1 job=$2 config=$3 work_dir=$4
shift 4
run_slurm "$partition" "$job" train.py "$config" --work-dir "$work_dir" "$@"
