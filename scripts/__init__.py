"""Programs for who works on this project; no part of the package."""
