#!/bin/sh
# Train and export the models that the README reports on, ship them, and measure the one inside.
# `make reference` runs this: about a day of processor time. Each training goes on where it was
# stopped, and is kept where it is done.
set -eu
cd "$(dirname "$0")/.."

make_teacher() {
    python -m train --config "$1" --out "runs/$1" --resume
    mkdir -p "docs/reports/$1"
    cp "runs/$1/train.json" "docs/reports/$1/"
}

# `make_model NAME SEED [WHERE REPORTS GO]`
make_model() {
    run="$1"
    [ "$2" = 0 ] || run="$1-$2"
    reports="docs/reports/${3:-$1}"
    python -m train --config "$1" --seed "$2" --out "runs/$run" --resume
    python -m export "runs/$run" --out "exported/$run" --overwrite
    mkdir -p "$reports"
    cp "runs/$run/train.json" "exported/$run/export.json" "$reports/"
}

ship() {
    make_model "$1" 0
    python -m benchmarks "exported/$1" --report "docs/reports/$1/benchmarks.json" --overwrite
    python -m export.reference "$1" "runs/$1" "exported/$1"
}

python -m train --dataset fashion-mnist --model mlp --epochs 10 --out runs/mlp --resume
python -m export runs/mlp --out exported/mlp --overwrite
cp runs/mlp/train.json exported/mlp/export.json docs/reports/mlp/

for name in teacher-1 teacher-2 teacher-3 teacher; do # each learns from those before it
    make_teacher "$name"
done
mkdir -p export/reference/teacher
cp runs/teacher/model.keras runs/teacher/train.json export/reference/teacher/

ship base
for name in small nano; do
    ship "$name"
    for seed in 1 2; do
        make_model "$name" "$seed" "$name/seed-$seed"
    done
done

python -m train --quantize export/reference/small --teacher export/reference/small \
    --teacher-weight 1 --temperature 2 --epochs 2 --batch-size 128 --learning-rate 0.00001 \
    --out runs/small-int8 --resume
python -m export runs/small-int8 --out exported/small-int8 --overwrite
mkdir -p docs/reports/small-int8
cp runs/small-int8/train.json exported/small-int8/export.json docs/reports/small-int8/

python -m export runs/small --only tflite --rgb --out exported/rgb --overwrite
python -m benchmarks peers exported/small/fashion-mnist.int8.tflite --overwrite \
    --keras runs/small/model.keras --rgb exported/rgb/fashion-mnist.int8-rgb.tflite \
    --report docs/reports/small/peers.json
python -m scripts.overhead
python -m scripts.stream
python -m scripts.idle
python -m scripts.photographs
python -m scripts.pipeline_cost --config small --report docs/reports/train/pipeline.json
python -m benchmarks scaling --report docs/reports/scaling/scaling.json --overwrite
python -m scripts.figures
