#!/bin/sh
# Train and export the models that the README reports on, and ship the reference model.
# `make reference` runs this: about half an hour on two cores.
set -eu
cd "$(dirname "$0")/.."

keep_reports() {
    mkdir -p "docs/reports/$1"
    cp "runs/$1/train.json" "docs/reports/$1/train.json"
    cp "exported/$1/export.json" "docs/reports/$1/export.json"
}

python -m train --dataset fashion-mnist --model mlp --epochs 10 --out runs/mlp --overwrite
python -m export runs/mlp --out exported/mlp --overwrite
keep_reports mlp

python -m train --dataset fashion-mnist --model cnn --epochs 24 --batch-size 128 --optimizer sgd \
    --learning-rate 0.2 --schedule one-cycle --weight-decay 0.0005 --label-smoothing 0.05 --augment \
    --out runs/reference --overwrite
python -m export runs/reference --out exported/reference --overwrite
python -m benchmarks exported/reference --report docs/reports/reference/benchmarks.json --overwrite
python -m export runs/reference --only tflite --rgb --out exported/rgb --overwrite
python -m benchmarks peers exported/reference/fashion-mnist.int8.tflite --overwrite \
    --keras runs/reference/model.keras --rgb exported/rgb/fashion-mnist.int8-rgb.tflite \
    --report docs/reports/reference/peers.json
python -m benchmarks scaling --report docs/reports/scaling/scaling.json --overwrite
keep_reports reference

python -m export.reference runs/reference exported/reference
python scripts/figures.py
