"""The process: listening, connections and their limits, workers, stopping without loss."""
