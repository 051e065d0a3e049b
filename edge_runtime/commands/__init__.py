"""The commands, one a file: `add` gives a command its flags, and its function runs it.

Nothing heavy is imported before a command runs, so that help is instant.
"""
