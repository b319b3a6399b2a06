"""How long hostile input may be worked on."""

CPU_SECONDS = 60
"""Of the processor's time, on a slow machine that does other things as well. The inputs are so large
that whatever takes more than linear time takes many minutes."""
