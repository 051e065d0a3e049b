"""Model files written from nothing but numpy: work of a known size, for a machine without a converter."""
