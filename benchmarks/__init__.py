"""Measure model files on the machine at hand: accuracy, speed, start-up, memory and size.

>>> from pathlib import Path
>>> from benchmarks.run import benchmark
>>> report = benchmark([Path("exported/mlp")])
>>> report.passed
True

Needs only what a device has: numpy, Pillow and an engine. With rich the terminal looks better.
"""
