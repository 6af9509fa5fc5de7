"""What a dataset promises, how data is judged, and how the judgement goes home."""
