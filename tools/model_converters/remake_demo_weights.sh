#!/usr/bin/env bash
# Usage: tools/model_converters/remake_demo_weights.sh [WORK_DIR]
#
# Trains the demo's G-SSL model on the built-in images (minutes on a CPU),
# publishes its plain classifier into weights/ in place of the former one, with
# the run's result.json beside it, and rewrites weights/metafile.yml.
#
# Environment: PYTHON (default: python)
#
# Example: tools/model_converters/remake_demo_weights.sh work_dirs/demo_weights
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=${1:-work_dirs/demo_weights}
python=${PYTHON:-python}
config=configs/gssl/demo_gssl_synthetic.py
[ "$work" != -h ] && [ "$work" != --help ] || {
    sed -n '2,11p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'
    exit 0
}

if [ ! -s "$work/result.json" ]; then
    OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} "$python" tools/train.py "$config" \
        --work-dir "$work" --resume
fi
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$python" tools/model_converters/publish_model.py "$config" \
    "$(cat "$work/last_checkpoint")" "$new/gssl_demo"
weights=$(basename "$new"/gssl_demo-*.pth .pth)
cp "$work/result.json" "$new/$weights.json"
mkdir -p weights
rm -f weights/gssl_demo-*
cp "$new/$weights".* weights/
"$python" tools/analysis/write_metafiles.py --write weights
echo "weights/$weights.pth: $(stat -c %s "weights/$weights.pth") bytes"
