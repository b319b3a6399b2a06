"""What every request goes through on its way to a handler, and its answer on the way back."""
