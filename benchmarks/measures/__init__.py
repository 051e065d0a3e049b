"""What is measured of a model file, a question a module; most of them ask in a fresh process."""
