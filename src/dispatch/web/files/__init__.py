"""The files of ``public/`` as they are sent: which there are, and what is said of each."""
