"""From renditions to what readers subscribe to: feeds, their archives, files on disk."""
