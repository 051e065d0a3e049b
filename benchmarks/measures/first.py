"""Program: from the start of a process to the first prediction, with nothing loaded but the runtime.

Reads a job as JSON from stdin and prints when it was done; `benchmarks.measures.startup` starts it.
"""

import json
import os
import sys
import time

import numpy as np

from edge_runtime.classifier import Classifier

if __name__ == "__main__":
    job = json.loads(sys.stdin.read())
    if job["cores"] is not None:  # not by `fresh.pin`: what is imported here is measured
        os.sched_setaffinity(0, job["cores"])
    classifier = Classifier.open(job["path"], backend=job["engine"], num_threads=job["num_threads"])
    image = classifier.spec.image
    classifier.scores(np.zeros((1, image.height, image.width, image.channels), np.uint8))
    print(json.dumps({"done_ns": time.monotonic_ns(), "cpu_ns": time.process_time_ns()}))
