"""From labelled pictures to a trained Keras classifier in a run directory."""
