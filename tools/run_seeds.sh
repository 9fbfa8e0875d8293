#!/usr/bin/env bash
# Usage: tools/run_seeds.sh CONFIG SEED... [-- options of tools/train.py]
#
# Trains CONFIG once a seed in WORK_DIRS/<config stem>[-TAG]/seed<k> and copies
# its result.json to RESULTS/<config stem>[-TAG]/seed<k>.json. A seed that has
# its results file is skipped, one that died is resumed. A seed that fails does
# not stop the others; the exit code is 1 if any failed.
#
# With TEST=1 the last checkpoint is tested after training, in seed<k>/test, with
# the --cfg-options that were given; of a config that attacks, what summary.json
# says becomes the entry "robust" of the results file. A seed whose results file
# has none is tested; an attack that was finished is not run again.
#
# Environment: WORK_DIRS=work_dirs RESULTS=results TAG='' (names a variant made
# by the options) TEST='' DEVICES='' (GPU ids, e.g. '0 1': seeds are spread over them)
# JOBS (seeds at a time; default: one a device) PYTHON (default: python)
# OMP_NUM_THREADS (default with JOBS > 1: cores / JOBS)
#
# Example: TAG=bf16 DEVICES='0 1' tools/run_seeds.sh \
#              configs/gssl/resnet32_cifar100lt.py 0 1 2 -- --amp
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/launch_common.sh"

[ $# -ge 2 ] || usage
config=$1
shift
seeds=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    [[ $1 =~ ^(0|[1-9][0-9]*)$ ]] || usage "a seed must be a number, got '$1'"
    seeds+=("$1")
    shift
done
[ ${#seeds[@]} -gt 0 ] || usage 'no seed given'
[ $# -eq 0 ] || shift
extra=("$@")
read -r -a devices <<<"${DEVICES:-}"
jobs=${JOBS:-${#devices[@]}}
[ "$jobs" != 0 ] || jobs=1
is_count "$jobs" || usage "JOBS must be a count, got '$jobs'"
[ "$jobs" -eq 1 ] || share_cores "$jobs"

stem=${config##*::}
stem=$(basename "$stem")
stem=${stem%.py}${TAG:+-$TAG}
work_root=${WORK_DIRS:-work_dirs}/$stem
results_root=${RESULTS:-results}/$stem
mkdir -p "$work_root" "$results_root"
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

# Of the train tool's options the test tool gets those for the config.
test_options=()
taken=0
for word in "${extra[@]}"; do
    case $word in
    --cfg-options) taken=1 ;;
    --*) taken=0 ;;
    esac
    [ "$taken" = 0 ] || test_options+=("$word")
done

say() {
    printf '%s seed %s: %s\n' "$stem" "$1" "$2"
}

# is_kept SEED: whether its results file holds all that is wanted.
is_kept() {
    local kept=$results_root/seed$1.json
    [ -s "$kept" ] && { [ -z "${TEST:-}" ] || grep -q '"robust"' "$kept"; }
}

# keep_result SEED: copy the finished run's results, whole or not at all.
keep_result() {
    local to=$results_root/seed$1.json work=$work_root/seed$1
    local robust=$work/test/robustness/summary.json
    if [ -n "${TEST:-}" ] && [ -s "$robust" ]; then
        "$PYTHON" "$TOOLS/analysis/add_to_result.py" "$work/result.json" \
            robust "$robust" --out "$to"
    else
        cp "$work/result.json" "$to.part" && mv "$to.part" "$to"
    fi
}

# waited LOG COMMAND...: run it in the background of this function, so that a
# signal to the script reaches it. It inherits the lock: should the script be
# killed, the work directory stays taken until the run itself ends.
waited() {
    local log=$1 child
    shift
    "$@" >>"$log" 2>&1 &
    child=$!
    trap 'kill "$child" 2>/dev/null; wait "$child"; exit 143' INT TERM
    wait "$child"
}

# train SEED
train() {
    local work=$work_root/seed$1
    waited "$work/run_seeds.log" "$PYTHON" "$TOOLS/train.py" "$config" \
        --work-dir "$work" --resume "${extra[@]}" \
        --cfg-options "randomness.seed=$1"
}

# test_last SEED: the checkpoint may have moved along with its work directory.
test_last() {
    local work=$work_root/seed$1 last
    last=$work/$(basename "$(cat "$work/last_checkpoint")")
    waited "$work/run_seeds.log" "$PYTHON" "$TOOLS/test.py" "$config" "$last" \
        --work-dir "$work/test" "${test_options[@]}"
}

run_seed() {
    local seed=$1 work=$work_root/seed$1 code=0
    local kept=$results_root/seed$seed.json
    if is_kept "$seed"; then
        say "$seed" "skipped, $kept is there"
        return
    fi
    mkdir -p "$work"
    exec 9>"$work/.run_seeds.lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        say "$seed" "FAILED, another run_seeds.sh is training in $work"
        echo "$seed" >>"$failed"
        return
    fi
    if [ ! -s "$work/result.json" ]; then
        say "$seed" "training in $work"
        train "$seed" || code=$?
    fi
    if [ "$code" -eq 0 ] && [ -n "${TEST:-}" ]; then
        say "$seed" "testing in $work/test"
        test_last "$seed" || code=$?
    fi
    if [ "$code" -eq 0 ]; then
        keep_result "$seed" 2>>"$work/run_seeds.log" || code=$?
    fi
    if [ "$code" -eq 0 ]; then
        say "$seed" "done, $kept"
    else
        say "$seed" "FAILED (exit code $code), see $work/run_seeds.log"
        tail -n 3 "$work/run_seeds.log" 2>/dev/null | sed 's/^/    /' || true
        echo "$seed" >>"$failed"
    fi
}

# slot K: every jobs-th seed, on the slot's device.
slot() {
    local index
    if [ ${#devices[@]} -gt 0 ]; then
        export CUDA_VISIBLE_DEVICES=${devices[$1 % ${#devices[@]}]}
    fi
    for ((index = $1; index < ${#seeds[@]}; index += jobs)); do
        run_seed "${seeds[$index]}"
    done
}

slots=()
stop() {
    kill "${slots[@]}" 2>/dev/null || true
    wait || true
    exit 143
}
trap stop INT TERM
for ((k = 0; k < jobs && k < ${#seeds[@]}; k++)); do
    slot "$k" &
    slots+=($!)
done
for pid in "${slots[@]}"; do
    wait "$pid" || echo "slot $pid" >>"$failed"
done
if [ -s "$failed" ]; then
    echo "$stem: $(wc -l <"$failed") of ${#seeds[@]} seed(s) failed" >&2
    exit 1
fi
