"""What must reach whom, who is at it, and what became of it."""
