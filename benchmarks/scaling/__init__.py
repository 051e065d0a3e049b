"""What happens to the cost as the work grows: more pictures, larger models, more threads."""
