#!/bin/sh
# The whole way, from pictures to predictions and figures. `make demo` runs this.
set -eu
cd "$(dirname "$0")/.."
out=demo

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

if run python -m train explore --dataset fashion-mnist --plot $out/samples.png --overwrite; then
    run python -m train --dataset fashion-mnist --model mlp --epochs 3 --out $out/run --overwrite
    run python -m export $out/run --out $out/exported --overwrite
else
    printf '\nNo data set here, so there is nothing to train on; going on with the shipped model.\n'
    run python -m export --out $out/exported --overwrite
fi

run python -m edge_runtime check $out/exported/*.tflite $out/exported/*.onnx
run python -m edge_runtime classify docs/pictures/*.png --model $out/exported/fashion-mnist.int8.tflite
run python -m benchmarks $out/exported --report $out/report.json --overwrite

cat <<END

Everything is in $out/:
  samples.png, run/  pictures of the data set; the trained Keras model, its figures and plots
                     (where there is a data set)
  exported/  the model files, ready to copy to a device
  report.md  the benchmark, for reading; report.json for programs
Next: python -m edge_runtime classify YOUR-PICTURE.jpg
END
