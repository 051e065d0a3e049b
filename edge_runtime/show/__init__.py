"""What a person sees: results, progress, pictures as text, copies with their answer drawn on."""
