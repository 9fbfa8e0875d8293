# Sourced by the launchers of this folder.

# The interpreter: PYTHON, or the first of python and python3 on the path.
PYTHON=${PYTHON:-$(command -v python || command -v python3)}
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$(dirname "$TOOLS")${PYTHONPATH:+:$PYTHONPATH}"

# Print the usage text of the calling script (its leading comment), leave with 2.
usage() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    [ $# -eq 0 ] || echo "error: $*" >&2
    exit 2
}

is_count() {
    [[ $1 =~ ^[1-9][0-9]*$ ]]
}

# share_cores N: give each of N processes its part of the cores. More threads
# than cores make small steps many times slower.
share_cores() {
    if [ -z "${OMP_NUM_THREADS:-}" ]; then
        local part=$(($(nproc) / $1))
        export OMP_NUM_THREADS=$((part > 0 ? part : 1))
    fi
}

# run_distributed SCRIPT PROCESSES ARGS...
run_distributed() {
    local script=$1 processes=$2
    shift 2
    share_cores "$processes"
    exec "$PYTHON" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" \
        --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" \
        --nproc_per_node="$processes" \
        --master_port="${PORT:-29500}" \
        "$TOOLS/$script" "$@" --launcher pytorch
}

# run_slurm PARTITION JOB_NAME SCRIPT ARGS...
run_slurm() {
    local partition=$1 job=$2 script=$3
    shift 3
    local gpus=${GPUS:-8} per_node
    is_count "$gpus" || usage "GPUS must be a count, got '$gpus'"
    per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
    is_count "$per_node" || usage "GPUS_PER_NODE must be a count"
    local gres=()
    [ -n "${CPU_ONLY:-}" ] || gres=(--gres="gpu:$per_node")
    [ -z "${PORT:-}" ] || export MASTER_PORT=$PORT
    # SRUN_ARGS holds several options in one string: it is split on purpose.
    # shellcheck disable=SC2086
    exec srun -p "$partition" --job-name="$job" "${gres[@]}" \
        --ntasks="$gpus" --ntasks-per-node="$per_node" \
        ${NNODES:+--nodes="$NNODES"} \
        --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        "$PYTHON" -u "$TOOLS/$script" "$@" --launcher slurm
}
