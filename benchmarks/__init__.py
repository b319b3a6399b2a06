"""Speed and memory, measured as whole processes, each against a measure in the same run."""
