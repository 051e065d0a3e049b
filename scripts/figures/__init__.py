"""The figures of the pages, a module for each topic: every function is a block of README.md."""
