"""This project beside the other ways to classify a picture: the same model, the same pictures."""
