"""The commands, a module each: `parser()` has its flags, `run()` does it.

Nothing here loads numpy, Pillow or an engine before it is needed, so help is instant.
"""
