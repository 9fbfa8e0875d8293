#!/usr/bin/env bash
# Usage: OUT_DIR=out DATA_ROOT=data/cifar10 tools/benchmarks/gpu_session.sh
#
# Everything that is worth the time on a GPU, in one call of at most BUDGET_S
# seconds: comparison with the CPU and waits of a step (gpu_checks.py), timings
# (pretext_transform.py, rand_augment.py, train_step.py, feature_mask_cost.py, on
# request pgd.py, which needs torchattacks) while nothing else runs, then as many
# CIFAR-10-LT runs on the full schedule as fit, side by side on the one GPU. A
# part that fails or takes too long does not stop the next one. Called again with
# the same WORK_DIRS and RESULTS, runs go on where they were.
#
# OUT_DIR then holds session.log, *.json of the parts, and results.tar.gz: the
# results of the finished runs and the ends of all logs.
#
# Environment (paths are relative to the repository's root):
#   OUT_DIR       where the numbers go (needed)
#   DATA_ROOT     folder of cifar-10-batches-py (needed by the part train)
#   WHEELS        folder of wheels that are installed first, without a network
#   BUDGET_S=560  seconds for all of it
#   PARTS='checks transform augment step masks train'; pgd is another one
#   CHECKS_S=90 TRANSFORM_S=40 AUGMENT_S=40 STEP_S=150 MASKS_S=90 PGD_S=150
#                 their limits
#   JOBS=6        runs at a time at the start; timeboxed_runs.py stops the last
#                 ones when their speed shows that they would not all finish
#   RUNS          CONFIG:SEED..., the most important first
#   TRAIN_DATA=train_dataloader.dataset.dataset  key of the training set; that of
#                 a config without an imbalance is train_dataloader.dataset
#   TEST=1        test the last checkpoints too, see run_seeds.sh
#   EPOCHS=200 VAL_INTERVAL=1 AMP=1 TAG (bf16-200e with AMP)
#   VERIFY_MD5=0  1 for the published files; RESULT_LABEL names other ones
#   WORK_DIRS=work_dirs/gpu_session RESULTS=WORK_DIRS/results
#   PYTHON, DEVICE=cuda
#   SMOKE=1       tiny sizes on the CPU, two short runs on built-in images
#   DRY_RUN=1     print the commands
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../launch_common.sh"
cd "$here/../.."

[ $# -eq 0 ] && [ -n "${OUT_DIR:-}" ] || usage 'OUT_DIR must be set'
begin=$SECONDS
budget=${BUDGET_S:-560}
smoke=${SMOKE:-0}
device=${DEVICE:-cuda}
parts=${PARTS:-checks transform augment step masks train}
epochs=${EPOCHS:-200}
export WORK_DIRS=${WORK_DIRS:-work_dirs/gpu_session}
export RESULTS=${RESULTS:-$WORK_DIRS/results}
export PYTHON PYTHONUNBUFFERED=1
# Kept for stopping runs and for packing
reserve=20
quick=()
check=(--check)
configs=configs/gssl
runs=${RUNS:-$(for seed in 0 1; do
    for variant in -ldamdrw -lorot ''; do
        echo "$configs/resnet32${variant}_cifar10lt.py:$seed"
    done
done)}
options=()
if [ "${AMP:-1}" != 0 ]; then
    options+=(--amp)
fi

# The config options of a run on CIFAR-10: where it is and how long it trains.
real_data() {
    local verify=True
    [ "${VERIFY_MD5:-0}" = 1 ] || verify=False
    options+=(--cfg-options "train_cfg.max_epochs=$epochs"
        "train_cfg.val_interval=${VAL_INTERVAL:-1}")
    local loader
    for loader in "${TRAIN_DATA:-train_dataloader.dataset.dataset}" \
        val_dataloader.dataset \
        test_dataloader.dataset; do
        options+=("$loader.data_root=${DATA_ROOT:-}" "$loader.download=False"
            "$loader.verify_md5=$verify")
    done
    [ -z "${RESULT_LABEL:-}" ] || options+=("result_label=$RESULT_LABEL")
}

# The config options of a run that shows nothing but that it runs.
tiny_data() {
    epochs=1
    options+=(--cfg-options train_cfg.max_epochs=1 train_cfg.val_interval=1
        train_dataloader.dataset.dataset.num_per_class=70
        val_dataloader.dataset.num_per_class=5
        test_dataloader.dataset.num_per_class=5)
}

if [ "$smoke" != 0 ]; then
    device=cpu
    # Tiny sizes can't hold a promise
    quick=(--quick) check=()
    runs=${RUNS:-"$configs/demo_ldamdrw_synthetic.py:0
        $configs/demo_gssl_synthetic.py:0"}
    tiny_data
else
    real_data
fi
[ "${AMP:-1}" = 0 ] || export TAG=${TAG-bf16-${epochs}e}

left() {
    echo $((budget - reserve - SECONDS + begin))
}

say() {
    printf '[%4d s] %s\n' $((SECONDS - begin)) "$*"
}

wanted() {
    [[ " $parts " == *" $1 "* ]]
}

# limited SECONDS COMMAND...: run what fits, and say what became of it.
limited() {
    local limit=$1 code=0
    shift
    [ "$limit" -le "$(left)" ] || limit=$(left)
    if [ "$limit" -lt 5 ]; then
        say "no time left for: $*"
        return 1
    fi
    say "at most $limit s: $*"
    [ "${DRY_RUN:-0}" = 0 ] || return 0
    timeout --kill-after=15 "$limit" "$@" || code=$?
    say "exit code $code"
    return "$code"
}

# part NAME SECONDS SCRIPT OPTIONS...: one of the scripts of this folder.
part() {
    local name=$1 limit=$2 script=$3
    shift 3
    wanted "$name" || return 0
    limited "$limit" "$PYTHON" "$here/$script.py" --device "$device" \
        "${quick[@]}" "$@" --out "$OUT_DIR/$script.json" || failed+=("$name")
}

install_wheels() {
    [ -n "${WHEELS:-}" ] || return 0
    local site=${SITE:-${TMPDIR:-/tmp}/gssl_mm_site}
    limited 120 "$PYTHON" -m pip install -q --no-index --no-deps --no-compile \
        --no-cache-dir --upgrade --target "$site" "$WHEELS"/*.whl || exit 1
    export PYTHONPATH="$PYTHONPATH:$site"
}

train() {
    wanted train || return 0
    if [ "$smoke" = 0 ] && [ ! -d "${DATA_ROOT:-}" ]; then
        say "no training: DATA_ROOT='${DATA_ROOT:-}' is no folder"
        failed+=(train)
        return
    fi
    local list jobs=${JOBS:-6} time
    read -r -d '' -a list <<<"$runs" || true
    time=$(left)
    [ -n "${OMP_NUM_THREADS:-}" ] || share_cores "$jobs"
    [ "$time" -gt 0 ] && limited "$time" "$PYTHON" "$here/timeboxed_runs.py" \
        --budget $((time > 25 ? time - 12 : time)) --jobs "$jobs" \
        --epochs "$epochs" --poll "${POLL_S:-10}" \
        --out "$OUT_DIR/timeboxed_runs.json" \
        "${list[@]}" -- "${options[@]}" || failed+=(train)
}

# Few files, since the place that collects them may take few.
pack() {
    [ "${DRY_RUN:-0}" = 0 ] && [ -d "$WORK_DIRS" ] || return 0
    local staging log name
    staging=$(mktemp -d)
    mkdir -p "$staging/logs"
    [ ! -d "$RESULTS" ] || cp -r "$RESULTS" "$staging/results"
    for log in "$WORK_DIRS"/*/seed*/run_seeds.log; do
        [ -f "$log" ] || continue
        name=${log#"$WORK_DIRS"/}
        tail -c 100000 "$log" >"$staging/logs/${name//\//_}"
    done
    tar czf "$OUT_DIR/results.tar.gz.part" -C "$staging" . &&
        mv "$OUT_DIR/results.tar.gz.part" "$OUT_DIR/results.tar.gz"
    rm -rf "$staging"
    say "packed $(find "$RESULTS" -name 'seed*.json' 2>/dev/null | wc -l)" \
        "result(s) into $OUT_DIR/results.tar.gz"
}

main() {
    failed=()
    say "budget $budget s, device $device, parts: $parts"
    install_wheels
    part checks "${CHECKS_S:-90}" gpu_checks
    part transform "${TRANSFORM_S:-40}" pretext_transform
    part augment "${AUGMENT_S:-40}" rand_augment "${check[@]}"
    part step "${STEP_S:-150}" train_step
    part masks "${MASKS_S:-90}" feature_mask_cost
    part pgd "${PGD_S:-150}" pgd
    train
    pack
    say "done${failed[*]:+, failed: ${failed[*]}}"
    [ ${#failed[@]} -eq 0 ]
}

mkdir -p "$OUT_DIR" || exit 1
OUT_DIR=$(cd "$OUT_DIR" && pwd)
main 2>&1 | tee -a "$OUT_DIR/session.log"
exit "${PIPESTATUS[0]}"
